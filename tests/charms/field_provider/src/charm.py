"""Answers every request with its configuration, through the field's v1 provider."""

import json

import ops
from dpcharmlibs.interfaces import (
    RequirerCommonModel,
    ResourceProviderEventHandler,
    ResourceProviderModel,
)


class FieldProviderCharm(ops.CharmBase):
    def __init__(self, framework):
        super().__init__(framework)
        self.clients = ResourceProviderEventHandler(
            self, "valkey-client", RequirerCommonModel, mtls_enabled=True
        )
        framework.observe(self.clients.on.resource_requested, self._on_requested)
        framework.observe(self.clients.on.mtls_cert_updated, self._on_certificate)
        framework.observe(self.on.config_changed, self._on_config)
        framework.observe(self.on.collect_unit_status, self._on_status)

    def _on_requested(self, event):
        self._answer(event.relation, event.request)

    def _on_certificate(self, event):
        certificate = event.request.mtls_cert
        certificate = getattr(certificate, "get_secret_value", lambda: certificate)()
        print("EVENT " + json.dumps({"mtls-cert": certificate}))

    def _on_config(self, _):
        if self.unit.is_leader():
            for relation in self.model.relations["valkey-client"]:
                for request in self.clients.requests(relation):
                    self._answer(relation, request)

    def _answer(self, relation, request):
        ca = self.config["ca"]
        response = ResourceProviderModel(
            salt=request.salt,
            request_id=request.request_id,
            resource=request.resource,
            endpoints=self.config["endpoints"],
            read_only_endpoints="10.0.0.2:6379",
            username=f"relation-{relation.id}-{request.request_id}",
            password=self.config["password"],
            tls=bool(ca),
            tls_ca=ca or None,
            version="9.0.1",
            mode="sentinel",
        )
        self.clients.set_response(relation.id, response)

    def _on_status(self, event):
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    ops.main(FieldProviderCharm)
