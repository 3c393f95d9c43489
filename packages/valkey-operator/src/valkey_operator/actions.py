"""What a person can ask the charm to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import ops

from valkey_client import ValkeyProvider

from .cluster import Cluster
from .connection import ServerError
from .overlap import overlapping, sharers
from .peers import Peers
from .switchover import SwitchoverError, switch_over

_LONGEST = 100_000
"""Characters of a result: ``action-set`` takes it as one word, which Linux limits to 128 KiB."""


@dataclass(frozen=True)
class Means:
    """What actions need of the charm.

    Attributes:
        peers: The units.
        provider: The clients.
        connected: A way to all servers; None before there are internal passwords.
        reconcile: Brings everything up to date after a change.
    """

    peers: Peers
    provider: ValkeyProvider
    connected: Callable[[], AbstractContextManager[Cluster] | None]
    reconcile: Callable[[], None]


class Actions(ops.Object):
    """The charm's actions."""

    def __init__(self, charm: ops.CharmBase, means: Means):
        super().__init__(charm, "actions")
        self._charm = charm
        self._means = means
        self.framework.observe(charm.on.list_clients_action, self._on_list_clients)
        self.framework.observe(charm.on.switchover_action, self._on_switchover)

    def _on_list_clients(self, event: ops.ActionEvent) -> None:
        """The client accounts, with the application and the prefix of each."""
        offset = int(event.params.get("offset") or 0)
        names = {relation.id: relation.app.name for relation in self._means.provider.relations}
        accounts = self._means.peers.shared().accounts
        shared = overlapping(accounts.values())
        clients = [
            {
                "account": account.name,
                "application": names.get(account.relation_id, ""),
                "relation-id": account.relation_id,
                "prefix": account.prefix,
                "channel-patterns": list(account.channel_patterns),
                "keyspace-events": account.keyspace_events,
                "scan": account.scan,
                "database": account.database,
                "shares-with": sorted(
                    {other.relation_id for other in sharers(account, accounts.values())}
                    if account.name in shared
                    else ()
                ),
            }
            for account in sorted(accounts.values())[offset:]
        ]
        shown = list(_that_fit(clients))
        more = {"next-offset": offset + len(shown)} if len(shown) < len(clients) else {}
        event.set_results({"count": len(accounts), "clients": json.dumps(shown), **more})

    def _on_switchover(self, event: ops.ActionEvent) -> None:
        """Move the primary without losing a write."""
        if not self._charm.unit.is_leader():
            event.fail("run this action on the leader: juju run APPLICATION/leader switchover")
            return
        connected = self._means.connected()
        if connected is None:
            event.fail("the cluster has not been founded yet")
            return
        peers = self._means.peers.all()
        unit = str(event.params.get("unit") or "")
        addresses = {peer.unit: peer.address for peer in peers}
        if unit and unit not in addresses:
            event.fail(f"there is no unit {unit}; there are {', '.join(addresses)}")
            return
        with connected as cluster:
            facts = cluster.observe(peer.address for peer in peers if peer.started)
            try:
                new = switch_over(cluster, facts, addresses.get(unit, ""))
            except (SwitchoverError, ServerError) as error:
                event.fail(f"{unit}: {error}" if unit else str(error))
                return
        self._means.reconcile()
        promoted = next((p.unit for p in peers if p.address == new), new)
        event.set_results({"primary": promoted})


def _that_fit(clients: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The first ones, as many as one result of an action can hold, and one at least."""
    left = _LONGEST
    for position, client in enumerate(clients):
        left -= len(json.dumps(client)) + len(", ")
        if left < 0 and position:
            return
        yield client
