"""Whom this unit's server follows when it starts, and when it has to start anew for that."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .cluster import Cluster
from .connection import RefusedError, ServerError
from .node import Node
from .peers import Shared
from .primaries import Named, is_certain, newest

logger = logging.getLogger(__name__)

_NEWS = 3.0
"""Seconds in which a Sentinel has heard of a failover: they say hello every 2 s."""

_SILENCE = 8.0
"""Seconds for which a primary may be silent while it still sends its data."""


@dataclass(frozen=True)
class Choice:
    """Whom a server that starts shall follow.

    Attributes:
        primary: The address; this unit's own if it shall be primary, empty if the one that was is
            gone and this unit has not met who knows its successor.
        is_certain: Whether no failover can have made another one primary.
    """

    primary: str
    is_certain: bool

    def may_serve(self, address: str) -> bool:
        """Whether this unit's server may start: as one of old, it could be promoted once more."""
        return self.is_certain or self.primary != address


@dataclass(frozen=True)
class Following:
    """The place of this unit's server among the others.

    Attributes:
        node: The unit's servers.
        cluster: Connections to all.
        shared: What the leader tells.
        others: The addresses of the other units.
        started: How many of those have been started once.
        is_last: Says whether no other unit can have the data; Juju has to be asked for that.
    """

    node: Node
    cluster: Cluster
    shared: Shared
    others: Sequence[str]
    started: int
    is_last: Callable[[], bool]

    def choose(self) -> Choice:
        """Ask everybody who may know for the latest failover."""
        named = self.cluster.settled_primaries(self.others)
        shared = Named(self.shared.first_primary, self.shared.epoch)
        primary = newest([*named, self.node.known_primary(), shared])
        own = self.node.address
        if primary not in {own, *self.others} and not self._answers(primary):
            primary = own if self.is_last() else ""
        return Choice(primary, is_certain(1 + len(named), 1 + self.started))

    def must_start_anew(self) -> bool:
        """Whether the servers run, but would never find their way back."""
        return self._is_left_behind() or self._is_orphaned()

    def _is_left_behind(self) -> bool:
        """Whether this unit's Sentinel watches a primary of before, and hears of no other.

        Sentinels tell those that they know of a new primary. One that began when its primary
        was on its way out is known to nobody.
        """
        deadline = time.monotonic() + _NEWS
        while True:
            known = self.node.known_primary()
            if not known.is_before(self.shared.first_primary, self.shared.epoch):
                return False
            if time.monotonic() > deadline:
                logger.warning("the Sentinel knows of %s only; starting anew", known.address)
                return True
            time.sleep(0.1)

    def _is_orphaned(self) -> bool:
        """Whether the last unit follows a primary that is gone: no majority will promote it."""
        if self.node.known_primary().address in {"", self.node.address} or not self.is_last():
            return False
        try:
            server = self.cluster.observe_server(self.node.address)
        except ServerError:
            return False
        # Its unit may be on its way out, and hand over as soon as it is less busy.
        patience = _SILENCE if server.in_sync else 0.0
        return server.role != "master" and not self._answers(server.primary, patience)

    def _answers(self, address: str, patience: float = 0.0) -> bool:
        """Whether a server is there, if only to refuse: as it does while a script runs long."""
        deadline = time.monotonic() + patience
        while True:
            try:
                self.cluster.observe_server(address)
            except RefusedError:
                return True
            except ServerError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.1)
            else:
                return True
