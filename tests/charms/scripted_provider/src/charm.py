"""Answers every request with its configuration, through our provider."""

import json

import ops

from valkey_client import Access, Grant, Refusal, RelationStatus, Topology, ValkeyProvider
from valkey_client.messages import parse_endpoints


class ScriptedProviderCharm(ops.CharmBase):
    def __init__(self, framework):
        super().__init__(framework)
        self.clients = ValkeyProvider(self, "valkey-client")
        framework.observe(self.clients.on.changed, self._on_changed)
        framework.observe(self.clients.on.released, self._on_released)
        framework.observe(self.on.config_changed, self._on_config)
        framework.observe(self.on.leader_elected, self._on_config)
        framework.observe(self.on.collect_unit_status, self._on_status)

    def _topology(self):
        ca = str(self.config["ca"])
        return Topology(
            parse_endpoints(str(self.config["endpoints"])),
            parse_endpoints(str(self.config["read-only-endpoints"])),
            parse_endpoints(str(self.config["sentinel-endpoints"])),
            version="9.0.1",
            tls=bool(ca),
            tls_ca=ca,
        )

    def _answer(self, requests):
        for request in requests:
            if request.secret_mtls:
                certificate = self.clients.certificate_of(request)
                print(
                    "EVENT "
                    + json.dumps({"mtls-cert": certificate.text, "problem": certificate.problem})
                )
        if text := str(self.config["reject"]):
            self.clients.respond(
                Refusal(request, RelationStatus(5005, text, "Ask nicely.")) for request in requests
            )
            return
        topology, password = self._topology(), str(self.config["password"])
        self.clients.respond(
            Grant(request, Access(str(request.prefix), request.username, password, topology))
            for request in requests
        )

    def _on_changed(self, event):
        self._answer(self.clients.requests_of(event.relation).requests)

    def _on_released(self, event):
        print("RELEASED", event.relation.id, *event.request_ids)
        self.clients.withdraw(event.relation.id, event.request_ids)

    def _on_config(self, _):
        if self.unit.is_leader():
            self._answer(self.clients.requests)

    def _on_status(self, event):
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    ops.main(ScriptedProviderCharm)
