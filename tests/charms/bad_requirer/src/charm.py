"""A requirer that uses Valkey and violates the check in its configuration.

It does not use our library, so that a bug there cannot hide one here.
"""

import hashlib
import json
import secrets

import ops
import valkey

RESOURCE = "application:*"
SALT = "0123456789abcdef"


class BadRequirerCharm(ops.CharmBase):
    _stored = ops.StoredState()

    def __init__(self, framework):
        super().__init__(framework)
        self._stored.set_default(endpoints="", user="", password="", version="")
        on, valkey = self.on, self.on["valkey"]
        for event in (valkey.relation_created, on.leader_elected):
            framework.observe(event, self._on_request)
        framework.observe(valkey.relation_changed, self._on_changed)
        framework.observe(valkey.relation_broken, self._on_broken)
        framework.observe(on.secret_changed, self._on_secret)
        framework.observe(on.use_action, self._on_use)
        framework.observe(on.collect_unit_status, self._on_status)

    def _on_status(self, event):
        event.add_status(ops.ActiveStatus())

    def _is(self, fault):
        return self.config["fault"] == fault

    # The request.

    def _on_request(self, _):
        relation = self.model.get_relation("valkey")
        if relation is None or not self.unit.is_leader():
            return
        salt = secrets.token_hex(8) if self._is("stable-request-ids") else SALT
        request = {"resource": RESOURCE, "request-id": self._id(salt), "salt": salt}
        request["channel-patterns"] = ["application:room.*"]
        if self._is("request-options"):
            request["channel-patterns"] = ["other:room.*"]
        requests = [request]
        if self._is("prefix"):
            request["resource"] = "application:?*"
        if self._is("request-id"):
            requests = [
                request,
                dict(request, resource="application:more:*", **{"channel-patterns": None}),
            ]
        if self._is("salt"):
            request["salt"] = "short"
        bag = {"version": "v1", "requests": json.dumps(requests)}
        bag["requested-secrets"] = json.dumps(["username", "password", "tls", "tls-ca"])
        if self._is("request-format"):
            bag["requests"] = json.dumps(request)
        if self._is("requested-secrets"):
            bag["requested-secrets"] = "username,password"
        relation.data[self.app].update(bag)

    @staticmethod
    def _id(salt):
        return hashlib.sha256(f"{RESOURCE}:{salt}".encode()).hexdigest()[:16]

    # The response.

    def _on_changed(self, event):
        databag = event.relation.data[event.app]
        if self._is("empty-databag"):
            databag["version"]
        if self._is("request-refused") and "status" in databag:
            raise RuntimeError("the request was refused")
        responses = self._responses(databag)
        requested = self._request_ids(event.relation)
        for response in responses:
            if response.get("request-id") not in requested:
                if self._is("unrequested-response"):
                    raise KeyError(response.get("request-id"))
                continue
            self._accept(event.relation, response)
        if (
            self._is("access-withdrawn")
            and self._stored.user
            and databag.get("requests") == "[]"
            and "status" not in databag
        ):
            raise RuntimeError("the access was withdrawn")

    def _request_ids(self, relation):
        if not self.unit.is_leader():  # only the leader can read its application's databag
            return {self._id(SALT)} if not self._is("stable-request-ids") else set()
        listed = json.loads(relation.data[self.app].get("requests", "[]"))
        return {r["request-id"] for r in listed if isinstance(r, dict)}

    def _responses(self, databag):
        try:
            responses = json.loads(databag.get("requests", "[]"))
        except ValueError:
            if self._is("invalid-json"):
                raise
            return []
        return [r for r in responses if isinstance(r, dict)] if isinstance(responses, list) else []

    def _accept(self, relation, response):
        endpoints = response.get("endpoints", "")
        host, _, port = endpoints.partition(":")
        if not (host and port.isdigit()):
            if self._is("invalid-endpoints"):
                int(port)
            return
        if self._is("field-changes") and self._stored.version not in {"", response["version"]}:
            raise RuntimeError("the server was upgraded")
        if not self._stored.endpoints or not self._is("follows-endpoints"):
            self._stored.endpoints = endpoints
        self._stored.version = response.get("version", "")
        if self._is("reads-secret"):
            return
        try:
            user = self.model.get_secret(id=response["secret-user"], label="user")
            content = user.get_content()
            self.model.get_secret(id=response["secret-tls"], label="tls").get_content()
        except ops.ModelError:
            if self._is("unreadable-secret"):
                raise
            return
        self._store(content)
        if self._is("requirer-no-password"):
            relation.data[self.unit]["note"] = content["password"]

    def _store(self, content):
        self._stored.user = content["username"]
        if not (self._is("uses-new-password") and self._stored.password):
            self._stored.password = content["password"]

    def _on_secret(self, event):
        ignored = {"password-rotation": "user", "tls-change": "tls"}.get(str(self.config["fault"]))
        if event.secret.label == ignored:
            if ignored == "user":
                self._store(event.secret.peek_content())
            return
        content = event.secret.get_content(refresh=True)
        if event.secret.label == "user":
            self._store(content)
            if self._is("requirer-no-password"):
                relation = self.model.get_relation("valkey")
                relation.data[self.unit]["note"] = content["password"]

    def _on_broken(self, _):
        if self._is("relation-removal"):
            raise RuntimeError("the relation was removed")
        if not self._is("unused-after-removal"):
            self._stored.user = ""

    # The use.

    def _on_use(self, event):
        if not self._stored.user or self._is("uses-access"):
            event.fail("no access")
            return
        host, _, port = self._stored.endpoints.partition(":")
        login = {"username": self._stored.user, "password": self._stored.password}
        with valkey.Valkey(host, int(port), **login) as client:
            client.incr("application:used")


if __name__ == "__main__":
    ops.main(BadRequirerCharm)
