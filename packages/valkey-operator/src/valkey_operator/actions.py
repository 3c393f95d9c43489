"""What a person can ask the charm to do."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import ops

from valkey_client import ValkeyProvider

from .peers import Peers
from .rules.append_only import Condition
from .rules.overlap import overlapping, sharers
from .servers.cluster import Cluster
from .servers.connection import ServerError
from .servers.switchover import SwitchoverError, switch_over
from .unit.node import Node

logger = logging.getLogger(__name__)

_MAX_LENGTH = 100_000
"""Characters of a result: ``action-set`` takes it as one argument, at most 128 KiB on Linux."""


@dataclass(frozen=True)
class ActionDependencies:
    """What actions need of the charm.

    Attributes:
        peers: The units.
        provider: The clients.
        connected: Connections to all servers; None before there are internal passwords.
        reconcile: Brings everything up to date after a change.
        node: This unit's servers; None on a substrate that is not supported.
    """

    peers: Peers
    provider: ValkeyProvider
    connected: Callable[[], AbstractContextManager[Cluster] | None]
    reconcile: Callable[[], None]
    node: Callable[[], Node | None]


@dataclass(frozen=True)
class ListClientsParameters:
    """Of ``list-clients``.

    Attributes:
        offset: How many clients to leave out.
    """

    offset: int = 0


@dataclass(frozen=True)
class SwitchoverParameters:
    """Of ``switchover``.

    Attributes:
        unit: The unit that becomes the primary; any if empty.
    """

    unit: str = ""


class Actions(ops.Object):
    """The charm's actions."""

    def __init__(self, charm: ops.CharmBase, dependencies: ActionDependencies):
        super().__init__(charm, "actions")
        self._charm = charm
        self._dependencies = dependencies
        self.framework.observe(charm.on.list_clients_action, self._on_list_clients)
        self.framework.observe(charm.on.switchover_action, self._on_switchover)
        self.framework.observe(charm.on.accept_data_loss_action, self._on_accept_data_loss)

    def _on_list_clients(self, event: ops.ActionEvent) -> None:
        """The client accounts, with the application and the prefix of each."""
        offset = event.load_params(ListClientsParameters, errors="fail").offset
        relations = self._dependencies.provider.relations
        applications = {relation.id: relation.app.name for relation in relations}
        accounts = self._dependencies.peers.shared().accounts
        sharing = overlapping(accounts.values())
        clients = [
            {
                "account": account.name,
                "application": applications.get(account.relation_id, ""),
                "relation-id": account.relation_id,
                "prefix": account.prefix,
                "channel-patterns": list(account.channel_patterns),
                "keyspace-events": account.keyspace_events,
                "scan": account.scan,
                "database": account.database,
                "shares-with": sorted(
                    {other.relation_id for other in sharers(account, accounts.values())}
                    if account.name in sharing
                    else ()
                ),
            }
            for account in sorted(accounts.values())[offset:]
        ]
        page = list(_page(clients))
        results: dict[str, Any] = {"count": len(accounts), "clients": json.dumps(page)}
        if len(page) < len(clients):
            results["next-offset"] = offset + len(page)
        # What requirers were told stands in a databag that only the leader may read.
        if self._charm.unit.is_leader() and (refused := list(_page(self._refusals()))):
            results["refused"] = json.dumps(refused)
        event.set_results(results)

    def _refusals(self) -> Iterator[dict[str, Any]]:
        """The requests that have no account, with the reason that their applications were told."""
        provider = self._dependencies.provider
        for relation in provider.relations:
            responses = provider.responses_of(relation)
            prefixes = {
                status: response.resource
                for response in responses.responses
                for status in response.statuses
            }
            # What is no request at all has no response, only a status of the relation.
            for status in dict.fromkeys([*prefixes, *responses.statuses]):
                if status.needs_a_person:
                    yield {
                        "application": relation.app.name,
                        "relation-id": relation.id,
                        "prefix": prefixes.get(status, ""),
                        "code": status.code,
                        "reason": status.message,
                    }

    def _on_switchover(self, event: ops.ActionEvent) -> None:
        """Move the primary without losing a write."""
        unit = event.load_params(SwitchoverParameters, errors="fail").unit
        if not self._charm.unit.is_leader():
            application = self._charm.app.name
            event.fail(f"only the leader can do this: juju run {application}/leader switchover")
            return
        connected = self._dependencies.connected()
        if connected is None:
            event.fail("the cluster is not bootstrapped yet; try again when the units are active")
            return
        peers = self._dependencies.peers.all()
        addresses = {peer.unit: peer.address for peer in peers}
        if unit and unit not in addresses:
            event.fail(f"there is no unit {unit}; choose one of {', '.join(addresses)}")
            return
        logger.info("action switchover to %s", unit or "any unit")
        with connected as cluster:
            state = cluster.observe(peer.address for peer in peers if peer.started)
            try:
                new = switch_over(cluster, state, addresses.get(unit, ""))
            except (SwitchoverError, ServerError) as error:
                event.fail(f"{unit}: {error}" if unit else str(error))
                return
        self._dependencies.reconcile()
        promoted = next((peer.unit for peer in peers if peer.address == new), new)
        event.set_results({"primary": promoted})

    def _on_accept_data_loss(self, event: ops.ActionEvent) -> None:
        """Start this unit's server without data that are missing."""
        node = self._dependencies.node()
        if node is None or node.workload.is_running("server"):
            event.fail("Valkey is running on this unit: there is nothing to accept")
            return
        if unit := self._unit_with_data():
            event.fail(
                f"{unit} has data: it becomes the primary, and this unit syncs from it. If that"
                f" does not happen within minutes, look at the status of {unit}"
            )
            return
        node.accept_data_loss()
        self._dependencies.reconcile()
        if node.workload.is_running("server"):
            event.set_results({"started": "true"})
        else:
            event.set_results({"started": "false", "next": "see this unit's status"})

    def _unit_with_data(self) -> str:
        """Another unit whose server answers with data of its own; empty if there is none."""
        connected = self._dependencies.connected()
        if connected is None:
            return ""
        peers = self._dependencies.peers
        with connected as cluster:
            for peer in peers.all():
                has_data = peer.data and peer.data.condition is Condition.PRESENT
                if peer.unit == peers.unit or not peer.started or not has_data:
                    continue
                with contextlib.suppress(ServerError):
                    cluster.observe_server(peer.address)
                    return peer.unit
        return ""


def _page(clients: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The first ones, as many as one result of an action can hold, and one at least."""
    space = _MAX_LENGTH
    for position, client in enumerate(clients):
        space -= len(json.dumps(client)) + len(", ")
        if space < 0 and position:
            return
        yield client
