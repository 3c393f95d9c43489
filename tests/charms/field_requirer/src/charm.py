"""Logs each event of the field's v1 requirer, with what the response holds at that moment."""

import json

import ops
from dpcharmlibs.interfaces import (
    RequirerCommonModel,
    ResourceProviderModel,
    ResourceRequirerEventHandler,
)

EVENTS = (
    "resource_created",
    "endpoints_changed",
    "read_only_endpoints_changed",
    "authentication_updated",
    "status_raised",
    "status_resolved",
)


class FieldRequirerCharm(ops.CharmBase):
    def __init__(self, framework):
        super().__init__(framework)
        self.valkey = ResourceRequirerEventHandler(
            self,
            "valkey",
            requests=[self._request()],
            response_model=ResourceProviderModel,
        )
        for name in EVENTS:
            framework.observe(getattr(self.valkey.on, name), self._on_event)
        framework.observe(self.on.valkey_relation_broken, self._on_event)
        framework.observe(self.on.collect_unit_status, self._on_status)

    def _request(self):
        certificate = self.config["client-certificate"]
        mtls = {"mtls_cert": certificate} if certificate else {}
        return RequirerCommonModel(resource="application:*", **mtls)

    def _on_event(self, event):
        record = {"event": event.handle.kind}
        response = getattr(event, "response", None)
        if response is not None:
            record["endpoints"] = response.endpoints
            record["read-only-endpoints"] = response.read_only_endpoints
            for name in ("username", "password", "tls", "tls_ca"):
                value = getattr(response, name)
                record[name] = getattr(value, "get_secret_value", lambda value=value: value)()
        status = getattr(event, "status", None)
        if status is not None:
            record["code"] = status.code
        print("EVENT " + json.dumps(record, default=str))

    def _on_status(self, event):
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    ops.main(FieldRequirerCharm)
