"""The primary that this unit's server follows when it starts, and when it has to start again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..clock import until
from ..model.peer_data import SharedState
from ..rules.epochs import PrimaryClaim, is_certain, latest_primary
from ..servers.cluster import Cluster
from ..servers.connection import RefusedError, ServerError
from .node import Node

logger = logging.getLogger(__name__)

_HELLO_TIMEOUT = 3.0
"""Seconds in which a Sentinel has heard of a failover: they publish a hello every 2 s."""

_BUSY_TIMEOUT = 8.0
"""Seconds for which a primary may be silent while its replication link is still up."""


@dataclass(frozen=True)
class PrimarySelection:
    """The primary of a server that starts.

    Attributes:
        primary: The address; this unit's own if it is to be the primary, empty if the last known
            one is gone and this unit has not heard of its successor.
        is_certain: Whether no failover can have made another one primary.
    """

    primary: str
    is_certain: bool

    def allows_server(self, address: str) -> bool:
        """Whether this unit's server may start: a former primary could be promoted again."""
        return self.is_certain or self.primary != address


@dataclass(frozen=True)
class Startup:
    """What decides how this unit's servers start.

    Attributes:
        node: The unit's servers.
        cluster: Connections to all.
        shared: What the leader tells.
        others: The addresses of the other units.
        started: How many of those have ever started.
        is_last: Whether no other unit can have the data; it asks Juju.
    """

    node: Node
    cluster: Cluster
    shared: SharedState
    others: Sequence[str]
    started: int
    is_last: Callable[[], bool]

    def select_primary(self) -> PrimarySelection:
        """Ask all Sentinels for the latest failover."""
        claims = self.cluster.settled_primary_claims(self.others)
        shared = PrimaryClaim(self.shared.first_primary, self.shared.epoch)
        primary = latest_primary([*claims, self.node.recorded_primary(), shared])
        own = self.node.address
        if primary not in {own, *self.others} and not self._answers(primary):
            primary = own if self.is_last() else ""
        return PrimarySelection(primary, is_certain(1 + len(claims), 1 + self.started))

    def reason_to_restart(self) -> str:
        """Why the servers run but would never find the primary by themselves; empty if they do."""
        if primary := self._former_primary():
            return f"the Sentinel knows the former primary {primary} only"
        if self._follows_a_removed_primary():
            return "its primary was removed and this is the last unit"
        return ""

    def _former_primary(self) -> str:
        """The former primary that this unit's Sentinel monitors without hearing of another.

        Sentinels tell those that they know of a new primary. One that started when its primary
        was about to be removed is known to no other.
        """

        def is_current() -> bool:
            recorded = self.node.recorded_primary()
            return not recorded.is_before(self.shared.first_primary, self.shared.epoch)

        if until(is_current, _HELLO_TIMEOUT, clock=self.cluster.clock):
            return ""
        return self.node.recorded_primary().address

    def _follows_a_removed_primary(self) -> bool:
        """Whether the last unit follows a primary that is gone: no majority will promote it."""
        if self.node.recorded_primary().address in {"", self.node.address} or not self.is_last():
            return False
        try:
            server = self.cluster.observe_server(self.node.address)
        except ServerError:
            return False
        # Its unit may be about to be removed, and hand over as soon as it is less busy.
        timeout = _BUSY_TIMEOUT if server.in_sync else 0.0
        return not server.is_primary and not self._answers(server.primary, timeout)

    def _answers(self, address: str, timeout: float = 0.0) -> bool:
        """Whether a server answers, be it with a refusal, as while a long script runs."""

        def answers() -> bool:
            try:
                self.cluster.observe_server(address)
            except RefusedError:
                return True
            except ServerError:
                return False
            return True

        return until(answers, timeout, clock=self.cluster.clock)
