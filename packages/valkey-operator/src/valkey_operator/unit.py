"""What a hook does with this unit's own servers."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from .cluster import Cluster
from .connection import ServerError
from .following import Following
from .node import Node
from .passwords import Passwords
from .peers import Peer, Peers, Shared
from .settings import Settings
from .tls.unit import UnitTls
from .workload import WorkloadError

logger = logging.getLogger(__name__)

_SYNC_SECONDS = 10.0
"""How long a hook waits for a replica that it has just started; later hooks see to the rest."""


@dataclass(frozen=True)
class UnitServers:
    """This unit's server and Sentinel, and what they are kept in step with.

    Attributes:
        node: The two.
        cluster: Connections to all servers.
        peers: The units; this one's databag says what became of its servers.
        passwords: Of the internal accounts.
        settings: The charm's configuration.
        planned: Asks Juju how many units there shall be.
        leads: Whether this unit is the leader.
    """

    node: Node
    cluster: Cluster
    peers: Peers
    passwords: Passwords
    settings: Settings
    planned: Callable[[], int]
    leads: bool

    def run(self, shared: Shared) -> bool:
        """Start what does not run and what has to start anew, and tell the other units.

        Args:
            shared: What the leader tells now.

        Returns:
            Whether the server runs, or will once it has its certificate; if not, it waits for
            units that know who is primary.

        Raises:
            WorkloadError: If a server does not start, or has ended since.
        """
        node, has_turn = self.node, shared.turn == self.peers.unit
        others = [peer for peer in self.peers.all() if peer.unit != self.peers.unit]
        tls = UnitTls(node.workload, shared.tls)
        starts = not node.is_running()
        if starts and not tls.can_start:
            self._announce(tls, started=False)
            return True
        following = Following(
            node,
            self.cluster,
            shared,
            others=[peer.address for peer in others],
            started=sum(peer.started for peer in others),
            is_last=lambda: self._is_last(others),
        )
        if not starts:
            starts = self._stop_what_changes(following, tls, has_turn=has_turn)
        if starts:
            choice = following.choose()
            if not choice.primary:
                # One that had a server before may have data, which nobody must take for none.
                self._announce(tls, started=bool(node.known_primary().address))
                return False
            starts = node.start(
                choice.primary,
                self.passwords,
                shared.accounts.values(),
                self.settings,
                units=len(others) + 1,
                tls=tls,
                serves=choice.may_serve(node.address),
            )
            self.cluster.forget(node.address)
            self._wait_for_sync()
            if choice.may_serve(node.address) and not node.workload.is_running("server"):
                raise WorkloadError(f"the server has ended: {node.workload.last_words('server')}")
        self._announce(tls, started=True, anew=starts)
        return node.workload.is_running("server")

    def _is_last(self, others: Sequence[Peer]) -> bool:
        """Whether all units are known, and none but this one has ever had a server."""
        if any(peer.started for peer in others) or (others and not self.leads):
            return False
        return self.planned() == 1 + len(others)

    def _announce(self, tls: UnitTls, *, started: bool, anew: bool = False) -> None:
        node, wanted = self.node, self.node.wanted(self.passwords, self.settings)
        self.peers.announce(
            node.address,
            started=started,
            memory=node.workload.memory(),
            anew=anew,
            wanted=wanted if started else "",
            needs_restart=started and wanted != node.started_with(),
            sentinel_is_late=started and tls.sentinel_is_late,
            tls=tls.report(),
        )

    def _stop_what_changes(self, following: Following, tls: UnitTls, *, has_turn: bool) -> bool:
        """Change what can be changed while servers run, and stop them if they must start anew."""
        with contextlib.suppress(ServerError):
            tls.configure(partial(self.cluster.configure_server_at_once, self.node.address))
        wanted = self.node.wanted(self.passwords, self.settings)
        if has_turn and wanted != self.node.started_with():
            if self._is_needed(following.others):
                return False
            self.node.stop()
            return True
        if self._must_restart_sentinel(tls, has_turn=has_turn):
            self.node.workload.stop("sentinel")
            return True
        if following.must_start_anew():
            self.node.stop()
            return True
        return False

    def _is_needed(self, others: Sequence[str]) -> bool:
        """Whether the server was promoted since; the leader sees that and hands over first.

        One that does not say is asked again by the next hook: it may be a primary that is busy.
        """
        if not others:
            return False
        try:
            return self.cluster.observe_server(self.node.address).role == "master"
        except ServerError:
            return True

    def _must_restart_sentinel(self, tls: UnitTls, *, has_turn: bool) -> bool:
        """Whether the Sentinel has to be started again now: it cannot change while it runs."""
        if not tls.sentinel_changes_over:
            return tls.sentinel_is_late and (has_turn or tls.sentinel_has_expired)
        address = self.node.address
        try:
            # The leader has changed it, unless it was away then.
            if self.cluster.observe_server(address).tls != tls.word.on:
                self.cluster.switch_tls(address, on=tls.word.on)
        except ServerError as error:
            logger.warning("this unit's Sentinel waits for its server: %s", error)
            return False
        return True

    def _wait_for_sync(self) -> None:
        """Let the server begin to serve, so that the leader finds it ready."""
        deadline = time.monotonic() + _SYNC_SECONDS
        while time.monotonic() < deadline and self.node.workload.is_running("server"):
            try:
                if self.cluster.observe_server(self.node.address).in_sync:
                    return
            except ServerError:
                logger.debug("the server does not answer yet")
            time.sleep(0.05)
