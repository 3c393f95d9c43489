"""What a hook does with this unit's own servers."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ..clock import until
from ..model.peer_data import Peer, RestartNeed, SharedState
from ..peers import Peers
from ..rules.passwords import Passwords
from ..rules.settings import Settings
from ..servers.cluster import Cluster
from ..servers.connection import ServerError
from ..tls.files import TlsFiles
from ..workload import WorkloadError
from .node import Node
from .startup import Startup

logger = logging.getLogger(__name__)

_SYNC_TIMEOUT = 10.0
"""Seconds that a hook waits for a replica that it has just started."""


@dataclass(frozen=True)
class UnitServers:
    """This unit's server and Sentinel, and what they depend on.

    Attributes:
        node: The two.
        cluster: Connections to all servers.
        peers: The units; this one's databag says what its servers need.
        passwords: Of the internal accounts.
        settings: The charm's configuration.
        planned_units: Asks Juju how many units are planned.
        is_leader: Whether this unit is the leader.
    """

    node: Node
    cluster: Cluster
    peers: Peers
    passwords: Passwords
    settings: Settings
    planned_units: Callable[[], int]
    is_leader: bool

    def reconcile(self, shared: SharedState) -> bool:
        """Start what does not run and what has to restart, and tell the other units.

        Args:
            shared: What the leader tells now.

        Returns:
            Whether the server runs, or will once it has its certificate; if not, it waits for
            units that know the current primary.

        Raises:
            WorkloadError: If a server does not start, or has ended since.
        """
        node, may_restart = self.node, shared.restarting_unit == self.peers.unit
        others = [peer for peer in self.peers.all() if peer.unit != self.peers.unit]
        tls = TlsFiles(node.workload, shared.tls)
        must_start = not node.is_running()
        if must_start and not tls.can_start:
            self._publish(tls, has_started=False)
            return True
        startup = Startup(
            node,
            self.cluster,
            shared,
            others=[peer.address for peer in others],
            started=sum(peer.started for peer in others),
            is_last=lambda: self._is_last(others),
        )
        if not must_start:
            must_start = self._apply_changes(startup, tls, may_restart=may_restart)
        restarted = False
        if must_start:
            selection = startup.select_primary()
            if not selection.primary:
                # A unit that had a server may have data, and must not count as one without.
                has_started = bool(node.recorded_primary().address)
                self._publish(tls, has_started=has_started)
                return False
            with_server = selection.allows_server(node.address)
            restarted = node.start(
                selection.primary,
                self.passwords,
                shared.accounts.values(),
                self.settings,
                units=len(others) + 1,
                tls=tls,
                with_server=with_server,
            )
            self.cluster.reconnect(node.address)
            self._wait_for_sync()
            if with_server and not node.workload.is_running("server"):
                raise WorkloadError(
                    f"the server has ended: {node.workload.last_log_line('server')}"
                )
        self._publish(tls, has_started=True, restarted=restarted)
        return node.workload.is_running("server")

    def _is_last(self, others: Sequence[Peer]) -> bool:
        """Whether all units are known, and none but this one has ever had a server."""
        if any(peer.started for peer in others) or (others and not self.is_leader):
            return False
        return self.planned_units() == 1 + len(others)

    def _publish(self, tls: TlsFiles, *, has_started: bool, restarted: bool = False) -> None:
        """Tell the other units about this one.

        Args:
            tls: The unit's certificates.
            has_started: Whether the servers have ever been started.
            restarted: Whether one was started just now, so that the leader looks at it again.
        """
        node = self.node
        digest = node.config_digest(self.passwords, self.settings) if has_started else ""
        need = RestartNeed.NONE
        if has_started and digest != node.running_config_digest():
            need = RestartNeed.SERVERS
        elif has_started and tls.sentinel_needs_restart:
            need = RestartNeed.SENTINEL
        generation = 0
        if has_started:
            before = self.peers.own().generation
            generation = before + 1 if restarted else max(before, 1)
        self.peers.publish_unit(
            Peer(
                self.peers.unit,
                node.address,
                generation=generation,
                config_digest=digest,
                restart_need=need,
                memory=node.workload.memory(),
                tls=tls.report(),
            )
        )

    def _apply_changes(self, startup: Startup, tls: TlsFiles, *, may_restart: bool) -> bool:
        """Change what running servers can change, and stop them if they have to restart.

        Returns:
            Whether something was stopped.
        """
        with contextlib.suppress(ServerError):
            tls.configure(partial(self.cluster.configure_server_at_once, self.node.address))
        digest = self.node.config_digest(self.passwords, self.settings)
        if may_restart and digest != self.node.running_config_digest():
            if self._is_needed(startup.others):
                return False
            self.node.stop("it is this unit's turn to restart with a changed configuration")
            return True
        if reason := self._reason_to_restart_sentinel(tls, may_restart=may_restart):
            self.node.stop_service("sentinel", reason)
            return True
        if reason := startup.reason_to_restart():
            self.node.stop(reason)
            return True
        return False

    def _is_needed(self, others: Sequence[str]) -> bool:
        """Whether the server was promoted since; the leader sees that and switches over first.

        One that does not answer is asked again by the next hook: it may be a busy primary.
        """
        if not others:
            return False
        try:
            return self.cluster.observe_server(self.node.address).is_primary
        except ServerError:
            return True

    def _reason_to_restart_sentinel(self, tls: TlsFiles, *, may_restart: bool) -> str:
        """Why the Sentinel has to restart now, which cannot change while it runs; else empty."""
        if not tls.sentinel_must_switch_tls:
            if tls.sentinel_needs_restart and tls.sentinel_certificate_has_expired:
                return "its certificate has expired"
            if tls.sentinel_needs_restart and may_restart:
                return "it is this unit's turn to restart with another certificate"
            return ""
        address, on = self.node.address, tls.policy.on
        try:
            # The leader has switched the server, unless it was unreachable then.
            if self.cluster.observe_server(address).tls != on:
                logger.info("switching TLS %s on the server at %s", "on" if on else "off", address)
                self.cluster.switch_tls(address, on=on)
        except ServerError as error:
            logger.warning("the Sentinel waits for the server of this unit: %s", error)
            return ""
        return f"TLS is switched {'on' if on else 'off'}"

    def _wait_for_sync(self) -> None:
        """Give the server time to begin to serve, so that the leader finds it ready."""

        def is_ready() -> bool:
            if not self.node.workload.is_running("server"):
                return True  # There is nothing to wait for.
            try:
                return self.cluster.observe_server(self.node.address).in_sync
            except ServerError as error:
                logger.debug("the server does not answer yet: %s", error)
                return False

        until(is_ready, _SYNC_TIMEOUT, interval=0.05, clock=self.cluster.clock)
