"""What a person can ask the charm to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import ops
from valkey import ValkeyError

from .cluster import connected
from .switchover import SwitchoverError, switch_over

if TYPE_CHECKING:
    from .charm import ValkeyOperatorCharm


class Actions(ops.Object):
    """The charm's actions."""

    def __init__(self, charm: ValkeyOperatorCharm):
        super().__init__(charm, "actions")
        self._charm = charm
        self.framework.observe(charm.on.list_clients_action, self._on_list_clients)
        self.framework.observe(charm.on.switchover_action, self._on_switchover)

    def _on_list_clients(self, event: ops.ActionEvent) -> None:
        """The client accounts, with the application and the prefix of each."""
        names: dict[int, str] = {}
        for relation in self._charm.provider.relations:
            names[relation.id] = relation.app.name
        clients = [
            {
                "account": account.name,
                "application": names.get(account.relation_id, ""),
                "relation-id": account.relation_id,
                "prefix": account.prefix,
            }
            for account in sorted(self._charm.peers.shared().accounts.values())
        ]
        event.set_results({"count": len(clients), "clients": json.dumps(clients)})

    def _on_switchover(self, event: ops.ActionEvent) -> None:
        """Move the primary without losing a write."""
        if not self._charm.unit.is_leader():
            event.fail("run this action on the leader: juju run APPLICATION/leader switchover")
            return
        passwords = self._charm.passwords(self._charm.peers.shared())
        if passwords is None:
            event.fail("the cluster has not been founded yet")
            return
        peers = self._charm.peers.all()
        unit = str(event.params.get("unit") or "")
        addresses = {peer.unit: peer.address for peer in peers}
        if unit and unit not in addresses:
            event.fail(f"there is no unit {unit}; there are {', '.join(addresses)}")
            return
        with connected(passwords.admin) as cluster:
            facts = cluster.observe(peer.address for peer in peers if peer.started)
            try:
                new = switch_over(cluster, facts, addresses.get(unit, ""))
            except (SwitchoverError, ValkeyError) as error:
                event.fail(str(error))
                return
        self._charm.reconcile()
        promoted = next((p.unit for p in peers if p.address == new), new)
        event.set_results({"primary": promoted})
