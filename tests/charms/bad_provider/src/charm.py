"""A provider with a real primary, replica and Sentinel that violates the check in its configuration.

It does not use our library, so that a bug there cannot hide one here.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import secrets
import subprocess
import time

import ops
import valkey

DATABASE = 7
PORTS = PRIMARY, REPLICA, SENTINEL = 6379, 6380, 26379
ADMIN = {"username": "default", "password": "admin"}
ALIASES = ("database", "subject", "topic", "index", "plugin-url", "prefix")
COMMANDS = ("+@all", "-@admin", "-@dangerous", "-@keyspace", "+del", "+expire", "+exists")
KNOWN_FIELDS = {"resource", "request-id", "salt", "alias"}
DATABASE_COMMANDS = ("+scan", "+keys", "+dbsize", "+randomkey", "+flushdb")
KEYLESS_COMMANDS = ("-pubsub", "-function", "-fcall", "-fcall_ro", "-wait")


class BadProviderCharm(ops.CharmBase):
    def __init__(self, framework):
        super().__init__(framework)
        on, clients = self.on, self.on["clients"]
        framework.observe(on["nodes"].relation_created, self._on_created)
        for event in (clients.relation_changed, on.update_status):
            framework.observe(event, self._reconcile)
        framework.observe(on.leader_elected, self._on_elected)
        framework.observe(clients.relation_broken, self._on_broken)
        framework.observe(on.collect_unit_status, self._on_status)

    def _on_status(self, event):
        event.add_status(ops.ActiveStatus())

    def _is(self, fault):
        return self.config["fault"] == fault

    # The servers, all on the first unit.

    @property
    def _shared(self):
        return self.model.get_relation("nodes").data[self.app]

    def _on_created(self, event):
        if not self.unit.is_leader():
            return
        host = str(self.model.get_binding("nodes").network.ingress_address)
        folder = pathlib.Path(os.environ["LOCALJUJU_DIR"])
        data = ["--requirepass", "admin", "--masterauth", "admin", "--save", ""]
        data += ["--repl-diskless-sync-delay", "0", "--replica-announce-ip", host]
        data += ["--notify-keyspace-events", "KA"]
        self._start(folder, host, PRIMARY, *data)
        self._start(folder, host, REPLICA, *data, "--replicaof", f"{host} {PRIMARY}")
        with self._admin(host, REPLICA) as replica:
            while replica.info("replication")["master_link_status"] != "up":
                time.sleep(0.05)
        conf = folder / "sentinel.conf"
        conf.write_text(
            f"sentinel monitor primary {host} {PRIMARY} 1\n"
            "sentinel down-after-milliseconds primary 1500\n"
            "sentinel failover-timeout primary 10000\n"
            "sentinel auth-pass primary admin\n"
        )
        self._start(folder, host, SENTINEL, "--requirepass", "admin", conf=conf)
        with self._admin(host, SENTINEL) as sentinel:
            while not sentinel.sentinel_slaves("primary"):
                time.sleep(0.05)
        self._shared["host"] = host

    def _start(self, folder, host, port, *options, conf=None):
        home = folder / str(port)
        home.mkdir(exist_ok=True)
        head = [str(conf)] if conf else []
        tail = ["--sentinel"] if conf else []
        where = ["--bind", host, "--port", str(port), "--dir", str(home)]
        with (home / "log").open("wb") as log:
            subprocess.Popen(
                ["valkey-server", *head, *where, *options, *tail],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            ).returncode = 0  # fmt: skip
        with self._admin(host, port) as client:
            while True:
                with contextlib.suppress(valkey.ConnectionError):
                    client.ping()
                    return
                time.sleep(0.02)

    @contextlib.contextmanager
    def _admin(self, host, port):
        client = valkey.Valkey(host, port, decode_responses=True, socket_timeout=20, **ADMIN)
        with client:
            yield client

    def _live(self):
        """The host, the port of the primary, and the ports of everything that answers."""
        host = self._shared["host"]
        with self._admin(host, SENTINEL) as sentinel:
            _, primary = sentinel.sentinel_get_master_addr_by_name("primary")
        answering = []
        for port in PORTS:
            with contextlib.suppress(valkey.ConnectionError), self._admin(host, port) as client:
                client.ping()
                answering.append(port)
        return host, primary, answering

    # The relation.

    def _on_elected(self, _):
        if self._shared.get("host") and self._is("leader-change"):
            for relation in self.model.relations["clients"]:
                for request in self._requests(relation) or ():
                    self._secret(relation, request, "user", {"username": self._name(relation, request), "password": secrets.token_hex(16)}, rotate=True)  # fmt: skip

    def _reconcile(self, event):
        if not self.unit.is_leader() or not self._shared.get("host"):
            return
        relations = self.model.relations["clients"]
        if isinstance(event, ops.RelationChangedEvent):
            relations = [event.relation]
        elif self._is("failover"):
            return
        for relation in relations:
            requests = self._requests(relation)
            if requests is not None:
                # The kit redelivers an event by a counter in the requirer's unit databag.
                counts = [relation.data[u].get("redeliveries", "0") for u in relation.units]
                rotate = self._is("event-redelivery") and any(count != "0" for count in counts)
                self._answer(relation, requests, rotate=rotate)

    def _requests(self, relation):
        """The valid requests; None if the databag is malformed."""
        bag = relation.data[relation.app]
        if bag.get("version") != "v1":
            alias = next((a for a in ALIASES if bag.get(a)), "")
            if self._is("v0-field") and alias != "database":
                return []
            requests = [{"resource": bag[alias], "alias": alias}] if alias else []
        else:
            try:
                requests = json.loads(bag.get("requests", "[]"))
            except ValueError:
                if self._is("malformed-request"):
                    raise
                return None
        if not isinstance(requests, list):
            return None
        return [r for r in requests if self._is_served(r)]

    def _is_served(self, request):
        if not isinstance(request, dict) or not isinstance(request.get("resource"), str):
            return False
        if "alias" not in request and not isinstance(request.get("request-id"), str):
            return False
        if self._is("unknown-fields") and request.keys() - KNOWN_FIELDS:
            return False
        return bool(request["resource"]) and (
            " " not in request["resource"] or self._is("acl-injection")
        )

    def _name(self, relation, request):
        if self._is("two-requests"):
            return f"relation-{relation.id}-all"
        key = request.get("request-id", "")
        return f"relation-{relation.id}-{key}" if key else f"relation-{relation.id}"

    def _answer(self, relation, requests, rotate):
        host, primary, answering = self._live()
        databag = relation.data[self.app]
        ids = [r.get("request-id", "") for r in requests]
        for withdrawn in set(json.loads(databag.get("known", "[]"))) - set(ids):
            if not self._is("release-request"):
                self._drop(host, answering, [f"relation-{relation.id}-{withdrawn}"])
        responses = [
            self._respond(relation, r, host, primary, answering, rotate) for r in requests
        ]
        wire = "v0" if requests and "alias" in requests[0] else "v1"
        write = self._write_v0 if wire == "v0" else self._write_v1
        written = write(requests, responses) | {"known": json.dumps(ids)}
        if statuses := [s for r in requests for s in self._refused(r, host, primary)]:
            written["status"] = json.dumps(statuses)
        if self._is("status"):
            written["status"] = "all is well"
        if self._is("no-password") and responses:
            written["note"] = self.model.get_secret(id=responses[0]["secret-user"]).get_content()[
                "password"
            ]
        databag.update({key: "" for key in databag if key not in written} | written)

    def _respond(self, relation, request, host, primary, answering, rotate):
        name = self._name(relation, request)
        user = {"username": name, "password": secrets.token_hex(16)}
        user_uri, user = self._secret(relation, request, "user", user, rotate=rotate)
        tls = {"tls": "False" if self._is("secret-tls") else "false"}
        if self._is("tls-ca"):
            tls = {"tls": "true", "tls-ca": "ask the administrator"}
        tls_uri, _ = self._secret(relation, request, "tls", tls)
        granted = self._granted_options(request, host, primary)
        rule = self._rule(user["password"], request["resource"], granted)
        self._make_account(name, user["password"], rule, host, primary, answering)
        replicas = [p for p in (PRIMARY, REPLICA) if p != primary and p in answering]
        response = {
            "endpoints": f"{host}:{primary}",
            "read-only-endpoints": ",".join(f"{host}:{p}" for p in replicas),
            "sentinel-endpoints": f"{host}:{SENTINEL}",
            "version": "latest" if self._is("server-version") else "9.0.1",
            "mode": "cluster" if self._is("mode") else "sentinel",
            "secret-user": user_uri,
            "secret-tls": tls_uri,
        }
        if self._is("secret-user-uri"):
            response["secret-user"] = user_uri.removeprefix("secret:")
        if self._is("secret-tls-uri"):
            response["secret-tls"] = tls_uri.removeprefix("secret:")
        if self._is("endpoints"):
            response["endpoints"] = host
        for field in ("read-only-endpoints", "sentinel-endpoints"):
            if self._is(field):
                response[field] = json.dumps(response[field].split(","))
        if self._is("sentinel-primary"):
            response["primary-name"] = "mymaster"
        return {key: value for key, value in (response | granted).items() if value}

    # The options of a request.

    def _granted_options(self, request, host, primary):
        """The options that are granted, and the database."""
        begin = str(request["resource"]).removesuffix("*")
        patterns = request.get("channel-patterns") or []
        if not self._is("invalid-options"):
            patterns = [p for p in patterns if p.startswith(begin)]
        granted = {"channel-patterns": patterns}
        for name in ("keyspace-events", "scan"):
            granted[name] = request.get(name) is True
        if self._is("options-answered"):
            granted["scan"] = False
        if request.get("own-database") is True and self._supports_databases(host, primary):
            granted |= {"own-database": True, "database": DATABASE}
        return granted

    def _supports_databases(self, host, primary):
        if self._is("own-database"):
            return True
        with self._admin(host, primary) as client:
            version = client.info("server")["valkey_version"]
        return tuple(map(int, version.split("."))) >= (9, 1, 2)

    def _refused(self, request, host, primary):
        """Statuses for the options that are requested and not granted."""
        granted = self._granted_options(request, host, primary)
        for name in ("channel-patterns", "keyspace-events", "scan", "own-database"):
            silent = self._is("options-answered") and name == "scan"
            if request.get(name) and request[name] != granted.get(name) and not silent:
                yield {"code": 1002, "message": f"{name} is ignored", "resolution": "Correct it."}

    def _secret(self, relation, request, group, content, rotate=False):
        """A secret of a request: its URI and its content."""
        if group == "user" and self._is("secret-user"):
            content = {"user": content["username"], "password": content["password"]}
        key = request.get("request-id", "v0")
        label = f"{relation.id}.{hashlib.sha256(key.encode()).hexdigest()[:16]}.{group}"
        try:
            secret = self.model.get_secret(label=label)
            if rotate:
                secret.set_content(content)
            stored = secret.peek_content()
        except ops.SecretNotFoundError:
            secret, stored = self.app.add_secret(content, label=label), content
            if not self._is("secret-grant"):
                secret.grant(relation)
        return secret.id or secret.get_info().id, stored

    def _rule(self, password, prefix, granted):
        keys, channels = (f"~{prefix}",), (f"&{prefix}",)
        commands = (*COMMANDS, *KEYLESS_COMMANDS)
        if self._is("outside-keys"):
            keys = ("~*",)
        if self._is("outside-channels"):
            channels = ("&*",)
        if self._is("inside-channels"):
            channels = ()
        if self._is("inside-keys"):
            commands = (*commands, "-set")
        if self._is("keyless-commands"):
            commands = (*commands, "+keys")
        database = granted.get("database", 0)
        if not self._is("channel-patterns") and "&*" not in channels:
            channels += tuple(f"&{pattern}" for pattern in granted["channel-patterns"])
        if granted["keyspace-events"] and not self._is("keyspace-events") and "&*" not in channels:
            channels += (f"&__keyspace@{database}__:{prefix}",)
        if granted["scan"] and not self._is("scan"):
            commands += ("+scan",)
        if database:
            commands += DATABASE_COMMANDS
            if not self._is("own-database"):
                commands += ("resetdbs", f"db={database}")
        if self._is("acl-injection") and " " in prefix:
            return ("reset", "on", f">{password}", *f"~{prefix}".split())
        return ("reset", "on", f">{password}", *keys, *channels, *commands)

    def _make_account(self, name, password, rule, host, primary, answering):
        for port in answering:
            if port == SENTINEL:
                if not self._is("sentinel-login"):
                    sentinel_rule = ("reset", "on", f">{password}", "&*", "-@all", "+ping", "+sentinel|get-master-addr-by-name")  # fmt: skip
                    self._setuser(host, port, name, sentinel_rule)
            elif port == primary or not self._is("login"):
                self._setuser(host, port, name, rule)

    def _setuser(self, host, port, name, rule):
        with self._admin(host, port) as client:
            client.execute_command("ACL", "SETUSER", name, *rule)

    def _drop(self, host, answering, names):
        for port in answering:
            with self._admin(host, port) as client:
                client.execute_command("ACL", "DELUSER", *names)

    def _on_broken(self, event):
        if not self.unit.is_leader() or self._is("release-relation"):
            return
        host, _, answering = self._live()
        name = f"relation-{event.relation.id}"
        with self._admin(host, answering[0]) as client:
            users = client.execute_command("ACL USERS")
        usernames = [u for u in users if u == name or u.startswith(f"{name}-")]
        if self._is("similar-relation-ids"):
            usernames = [u for u in users if u.startswith(name)]
        if usernames:
            self._drop(host, answering, usernames)

    # The two formats.

    def _write_v1(self, requests, responses):
        items = []
        for request, response in zip(requests, responses, strict=True):
            echo = {key: request.get(key) for key in ("resource", "request-id", "salt")}
            if self._is("v1-echo"):
                echo["salt"] = "0000000000000000"
            items.append(echo | response)
            if self._is("unique-responses"):
                items.append(echo | response)
        data = {r["request-id"]: {} for r in requests}
        written = {"version": "v1", "requests": json.dumps(items), "data": json.dumps(data)}
        if self._is("v1-version"):
            written["version"] = "9.0.1"
        if self._is("v1-data"):
            written["data"] = "{}"
        return written

    def _write_v0(self, requests, responses):
        request, response = requests[0], dict(responses[0])
        alias = "resource" if self._is("v0-echo") else request["alias"]
        echo = {alias: request["resource"], "resource": request["resource"]}
        if not self._is("v0-sentinel-spelling"):
            response["sentinel_endpoints"] = response["sentinel-endpoints"]
        return response | echo


if __name__ == "__main__":
    ops.main(BadProviderCharm)
