"""How this unit's server starts, and when it has to start again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..clock import until
from ..decide.start import decide_start
from ..model.peer_data import SharedState
from ..model.start import StartDecision, StartFacts
from ..rules.append_only import Data
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
class Startup:
    """What decides how this unit's servers start.

    Attributes:
        node: The unit's servers.
        cluster: Connections to all.
        shared: What the leader tells.
        others: The addresses of the other units.
        started: How many of those have ever started.
        unit: The name of this unit.
        had_data: Whether it has ever had a running server.
        data_time: When its data were current at the least when it started last.
        successor: The unit that begins if the known primary is gone and none can have its data;
            empty if that is not known. It asks Juju.
    """

    node: Node
    cluster: Cluster
    shared: SharedState
    others: Sequence[str]
    started: int
    unit: str
    had_data: bool
    data_time: float
    successor: Callable[[], str]

    def decide(self, data: Data, *, accepts_data_loss: bool = False) -> StartDecision:
        """Ask all Sentinels for the latest failover, and decide how the server starts.

        Args:
            data: What lies in the data directory.
            accepts_data_loss: Whether a person has accepted that data are missing.
        """
        claims = self.cluster.settled_primary_claims(self.others)
        shared = PrimaryClaim(self.shared.first_primary, self.shared.epoch)
        primary = latest_primary([*claims, self.node.recorded_primary(), shared])
        own = self.node.address
        if primary not in {own, *self.others} and not self._answers(primary):
            primary = self.successor()
        return decide_start(
            StartFacts(
                address=own,
                primary=primary,
                is_certain=is_certain(1 + len(claims), 1 + self.started),
                primary_answers=primary not in {"", own} and self._is_primary(primary),
                data=data,
                unit=self.unit,
                is_appointed=self.shared.first_unit == self.unit,
                had_data=self.had_data,
                data_time=self.data_time,
                others=self.started,
                accepts_data_loss=accepts_data_loss,
            )
        )

    def recorded_facts(self, password: str) -> Mapping[str, object]:
        """What the check before each start has to know; see :mod:`.start_check`.

        Args:
            password: Of the charm's own account.
        """
        trust = self.cluster.trust
        return {
            "address": self.node.address,
            "others": list(self.others),
            "started": self.started,
            "unit": self.unit,
            "appointed": self.shared.first_unit == self.unit,
            "had-data": self.had_data,
            "data-time": self.data_time,
            "primary": self.shared.first_primary,
            "epoch": self.shared.epoch,
            "password": password,
            "cas": trust.cas,
            "is-strict": trust.is_strict,
        }

    def reason_to_restart(self) -> str:
        """Why the servers run but would never find the primary by themselves; empty if they do."""
        if primary := self._former_primary():
            return f"the Sentinel knows the former primary {primary} only"
        if self._follows_a_removed_primary():
            return "its primary was removed and this is the last unit"
        return ""

    def sentinel_is_idle(self) -> bool:
        """Whether somebody made this unit's Sentinel forget the primary."""
        try:
            self.cluster.observe_sentinel(self.node.address)
        except RefusedError as error:
            return error.is_idle_sentinel
        except ServerError:
            pass
        return False

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
        if (
            self.node.recorded_primary().address in {"", self.node.address}
            or self.successor() != self.node.address
        ):
            return False
        try:
            server = self.cluster.observe_server(self.node.address)
        except ServerError:
            return False
        # Its unit may be about to be removed, and hand over as soon as it is less busy.
        timeout = _BUSY_TIMEOUT if server.in_sync else 0.0
        return not server.is_primary and not self._answers(server.primary, timeout)

    def _is_primary(self, address: str) -> bool:
        try:
            return self.cluster.observe_server(address).is_primary
        except ServerError:
            return False

    def _answers(self, address: str, timeout: float = 0.0) -> bool:
        """Whether a server answers, even with a refusal, as while a long script runs."""

        def answers() -> bool:
            try:
                self.cluster.observe_server(address)
            except RefusedError:
                return True
            except ServerError:
                return False
            return True

        return until(answers, timeout, clock=self.cluster.clock)
