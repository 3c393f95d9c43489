"""Publishes a made-up access, through our library."""

import ops

from valkey_client import (
    Access,
    Grant,
    RequestsChangedEvent,
    RequestsReleasedEvent,
    Topology,
    ValkeyProvider,
)
from valkey_client.messages import parse_endpoints


def topology(endpoints: str) -> Topology:
    """Where the service is said to be."""
    replicas = parse_endpoints("10.0.0.8:6379,10.0.0.9:6379")
    return Topology(parse_endpoints(endpoints), replicas, version="9.1.2")


class ProviderCharm(ops.CharmBase):
    """As little as a provider's charm can do."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.clients = ValkeyProvider(self, "valkey-client")
        framework.observe(self.clients.on.changed, self._on_changed)
        framework.observe(self.clients.on.released, self._on_released)
        framework.observe(self.on.config_changed, self._on_config_changed)

    def _on_changed(self, event: RequestsChangedEvent) -> None:
        where = topology("10.0.0.1:6379")
        self.clients.respond(
            Grant(request, Access(str(request.prefix), request.username, "hunter2", where))
            for request in self.clients.requests_of(event.relation).requests
        )

    def _on_released(self, event: RequestsReleasedEvent) -> None:
        self.clients.withdraw(event.relation.id, event.request_ids)

    def _on_config_changed(self, _: ops.ConfigChangedEvent) -> None:
        if self.unit.is_leader():
            self.clients.update(topology(str(self.config["endpoints"])))


if __name__ == "__main__":
    ops.main(ProviderCharm)
