"""A requirer that uses Valkey, and breaks one rule on demand.

It stands on no library of ours, so that a mistake there cannot hide one here.
"""

import hashlib
import json
import secrets

import ops
import valkey

RESOURCE = "application:*"
SALT = "0123456789abcdef"


class BadRequirerCharm(ops.CharmBase):
    _kept = ops.StoredState()

    def __init__(self, framework):
        super().__init__(framework)
        self._kept.set_default(endpoints="", user="", password="", version="")
        on, valkey = self.on, self.on["valkey"]
        for event in (valkey.relation_created, on.leader_elected):
            framework.observe(event, self._on_ask)
        framework.observe(valkey.relation_changed, self._on_changed)
        framework.observe(valkey.relation_broken, self._on_broken)
        framework.observe(on.secret_changed, self._on_secret)
        framework.observe(on.use_action, self._on_use)
        framework.observe(on.collect_unit_status, self._on_status)

    def _on_status(self, event):
        event.add_status(ops.ActiveStatus())

    def _is(self, fault):
        return self.config["fault"] == fault

    # Asking.

    def _on_ask(self, _):
        relation = self.model.get_relation("valkey")
        if relation is None or not self.unit.is_leader():
            return
        salt = secrets.token_hex(8) if self._is("stable-id") else SALT
        request = {"resource": RESOURCE, "request-id": self._id(salt), "salt": salt}
        request["channel-patterns"] = ["application:room.*"]
        if self._is("request-options"):
            request["channel-patterns"] = ["other:room.*"]
        asked = [request]
        if self._is("prefix"):
            request["resource"] = "application:?*"
        if self._is("request-id"):
            asked = [
                request,
                dict(request, resource="application:more:*", **{"channel-patterns": None}),
            ]
        if self._is("salt"):
            request["salt"] = "short"
        bag = {"version": "v1", "requests": json.dumps(asked)}
        bag["requested-secrets"] = json.dumps(["username", "password", "tls", "tls-ca"])
        if self._is("asks"):
            bag["requests"] = json.dumps(request)
        if self._is("requested-secrets"):
            bag["requested-secrets"] = "username,password"
        relation.data[self.app].update(bag)

    @staticmethod
    def _id(salt):
        return hashlib.sha256(f"{RESOURCE}:{salt}".encode()).hexdigest()[:16]

    # Listening.

    def _on_changed(self, event):
        said = event.relation.data[event.app]
        if self._is("empty-provider"):
            said["version"]
        if self._is("refused") and "status" in said:
            raise RuntimeError("the provider says no")
        responses = self._responses(said)
        asked = self._asked(event.relation)
        for response in responses:
            if response.get("request-id") not in asked:
                if self._is("hostile-response"):
                    raise KeyError(response.get("request-id"))
                continue
            self._accept(event.relation, response)
        if (
            self._is("withdrawn")
            and self._kept.user
            and said.get("requests") == "[]"
            and "status" not in said
        ):
            raise RuntimeError("the access is gone")

    def _asked(self, relation):
        if not self.unit.is_leader():  # a follower cannot read what its leader asked
            return {self._id(SALT)} if not self._is("stable-id") else set()
        listed = json.loads(relation.data[self.app].get("requests", "[]"))
        return {r["request-id"] for r in listed if isinstance(r, dict)}

    def _responses(self, said):
        try:
            found = json.loads(said.get("requests", "[]"))
        except ValueError:
            if self._is("hostile-text"):
                raise
            return []
        return [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []

    def _accept(self, relation, response):
        endpoints = response.get("endpoints", "")
        host, _, port = endpoints.partition(":")
        if not (host and port.isdigit()):
            if self._is("hostile-endpoints"):
                int(port)
            return
        if self._is("any-change") and self._kept.version not in {"", response["version"]}:
            raise RuntimeError("the server was upgraded")
        if not self._kept.endpoints or not self._is("follows-endpoints"):
            self._kept.endpoints = endpoints
        self._kept.version = response.get("version", "")
        if self._is("reads-secret"):
            return
        try:
            user = self.model.get_secret(id=response["secret-user"], label="user")
            content = user.get_content()
            self.model.get_secret(id=response["secret-tls"], label="tls").get_content()
        except ops.ModelError:
            if self._is("hostile-secret"):
                raise
            return
        self._keep(content)
        if self._is("own-no-password"):
            relation.data[self.unit]["note"] = content["password"]

    def _keep(self, content):
        self._kept.user = content["username"]
        if not (self._is("uses-new-password") and self._kept.password):
            self._kept.password = content["password"]

    def _on_secret(self, event):
        ignored = {"rotation": "user", "tls-change": "tls"}.get(str(self.config["fault"]))
        if event.secret.label == ignored:
            if ignored == "user":
                self._keep(event.secret.peek_content())
            return
        content = event.secret.get_content(refresh=True)
        if event.secret.label == "user":
            self._keep(content)
            if self._is("own-no-password"):
                relation = self.model.get_relation("valkey")
                relation.data[self.unit]["note"] = content["password"]

    def _on_broken(self, _):
        if self._is("removal"):
            raise RuntimeError("but why")
        if not self._is("gives-up"):
            self._kept.user = ""

    # Using.

    def _on_use(self, event):
        if not self._kept.user or self._is("uses-access"):
            event.fail("no access")
            return
        host, _, port = self._kept.endpoints.partition(":")
        login = {"username": self._kept.user, "password": self._kept.password}
        with valkey.Valkey(host, int(port), **login) as client:
            client.incr("application:used")


if __name__ == "__main__":
    ops.main(BadRequirerCharm)
