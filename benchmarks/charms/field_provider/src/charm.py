"""Publishes a made-up access, through the library that the field uses."""

import ops
from dpcharmlibs.interfaces import (
    RequirerCommonModel,
    ResourceProviderEventHandler,
    ResourceProviderModel,
)


class FieldProviderCharm(ops.CharmBase):
    """As little as a provider's charm can do."""

    def __init__(self, framework):
        super().__init__(framework)
        self.clients = ResourceProviderEventHandler(
            self, "valkey-client", RequirerCommonModel, bulk_event=True
        )
        framework.observe(self.clients.on.resource_requested, self._on_requested)
        framework.observe(self.clients.on.bulk_resources_requested, self._on_bulk_requested)
        framework.observe(self.on.leader_elected, self._on_leader_elected)
        framework.observe(self.on.config_changed, self._on_config_changed)

    def _on_requested(self, event):
        self._answer(event.relation, [event.request], "10.0.0.1:6379")

    def _on_bulk_requested(self, event):
        if event.requests:
            self._answer(event.relation, event.requests, "10.0.0.1:6379")

    def _on_leader_elected(self, _):
        self._answer_all("10.0.0.1:6379")

    def _on_config_changed(self, _):
        if self.unit.is_leader():
            self._answer_all(self.config["endpoints"])

    def _answer_all(self, endpoints):
        for relation in self.model.relations["valkey-client"]:
            if requests := self.clients.requests(relation):
                self._answer(relation, requests, endpoints)

    def _answer(self, relation, requests, endpoints):
        responses = [
            ResourceProviderModel(
                salt=request.salt,
                request_id=request.request_id,
                resource=request.resource,
                endpoints=endpoints,
                read_only_endpoints="10.0.0.8:6379,10.0.0.9:6379",
                username=f"relation-{relation.id}-{request.request_id}",
                password="hunter2",
                tls=False,
                version="9.1.2",
            )
            for request in requests
        ]
        self.clients.set_responses(relation.id, responses)


if __name__ == "__main__":
    ops.main(FieldProviderCharm)
