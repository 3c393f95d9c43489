"""What a hook does with this unit's own servers."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..clock import until
from ..decide.first_primary import choose_first_primary
from ..model.peer_data import DataReport, Peer, RestartNeed, SharedState
from ..model.start import Start, StartDecision
from ..peers import Peers
from ..rules.append_only import Condition, Data
from ..rules.passwords import Passwords
from ..rules.settings import Settings
from ..servers.cluster import Cluster
from ..servers.connection import ServerError
from ..tls.files import TlsFiles
from ..workload import WorkloadError
from .data_record import data_record
from .node import Node
from .repair import DropOutcome, Repair
from .startup import Startup

logger = logging.getLogger(__name__)

_SYNC_TIMEOUT = 10.0
"""Seconds that a hook waits for a replica that it has just started."""


@dataclass(frozen=True)
class StartOutcome:
    """What came of a start.

    Attributes:
        decision: How the server started, or why it did not.
        data: What lay in the data directory before; if the server is in sync now, present.
        restarted: Whether anything was started.
        in_sync: Whether the server has all data.
    """

    decision: StartDecision
    data: Data
    restarted: bool = False
    in_sync: bool = False


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
        is_periodic: Whether this is update-status, which records how new the data are.
    """

    node: Node
    cluster: Cluster
    peers: Peers
    passwords: Passwords
    settings: Settings
    planned_units: Callable[[], int]
    is_leader: bool
    is_periodic: bool = False

    def reconcile(self, shared: SharedState) -> StartDecision:
        """Start what does not run and what has to restart, and tell the other units.

        Args:
            shared: What the leader tells now.

        Returns:
            How the server started, or why it does not run. If it waits for its certificate, or
            ran before, it counts as a replica that started.

        Raises:
            WorkloadError: If a server does not start, or has ended since.
        """
        node, may_restart = self.node, shared.restarting_unit == self.peers.unit
        peers = self.peers.all()
        others = [peer for peer in peers if peer.unit != self.peers.unit]
        had_data = self.peers.own().started
        tls = TlsFiles(node.workload, shared.tls)
        self._follow_address()
        must_start = not node.is_running()
        if must_start and not tls.can_start:
            self._publish(tls, has_started=False)
            return StartDecision(Start.REPLICA)
        startup = Startup(
            node,
            self.cluster,
            shared,
            others=[peer.address for peer in others],
            started=sum(peer.started for peer in others),
            unit=self.peers.unit,
            had_data=had_data,
            data_time=self.peers.own().data_time,
            successor=lambda: self._successor(peers),
        )
        if not must_start:
            must_start = self._apply_changes(startup, tls, may_restart=may_restart)
        if not must_start:
            self._publish(tls, has_started=True)
            self._keep_records(replace(startup, had_data=True), only_facts=not self.is_periodic)
            return StartDecision(Start.REPLICA)
        outcome = self._start(startup, tls)
        decision = outcome.decision
        has_server = decision.with_server or had_data
        if not decision.primary:
            # A unit that had a server may have data, and must not count as one without.
            has_server = had_data or bool(node.recorded_primary().address)
        self._publish(
            tls,
            has_started=has_server,
            restarted=outcome.restarted,
            data=outcome.data,
            is_withheld=decision.is_withheld,
        )
        if decision.with_server:
            self._check_server()
            self._keep_records(replace(startup, had_data=True), only_facts=not outcome.in_sync)
        return decision

    def _start(self, startup: Startup, tls: TlsFiles) -> StartOutcome:
        """Start what may start.

        Raises:
            WorkloadError: If a server does not start, for another reason than its data.
        """
        try:
            outcome = self._try_to_start(startup, tls)
        except WorkloadError:
            if self._data().condition is not Condition.DAMAGED:
                raise
        else:
            if not outcome.decision.with_server or self.node.workload.is_running("server"):
                return outcome
        # It could not load its data, which only its log says. That is another decision.
        return self._try_to_start(startup, tls)

    def _try_to_start(self, startup: Startup, tls: TlsFiles) -> StartOutcome:
        node, data = self.node, self._data()
        decision = startup.decide(data, accepts_data_loss=node.accepts_data_loss)
        if not decision.primary:
            return StartOutcome(decision, data)
        if decision.reason and not decision.with_server:
            logger.warning("the server does not start: %s", decision.reason)
        if decision.with_server:
            self._make_room(data, decision.primary)
        node.write_start_facts(startup.recorded_facts(self.passwords.admin))
        restarted = node.start(
            decision.primary,
            self.passwords,
            startup.shared.accounts.values(),
            self.settings,
            units=len(startup.others) + 1,
            tls=tls,
            with_server=decision.with_server,
        )
        self.cluster.reconnect(node.address)
        in_sync = decision.with_server and self._wait_for_sync()
        data = replace(data, condition=Condition.PRESENT) if in_sync else data
        return StartOutcome(decision, data, restarted, in_sync)

    def _make_room(self, data: Data, primary: str) -> None:
        """Move damaged data out of the way, with what is recorded of them."""
        match data.condition:
            case Condition.DAMAGED:
                self.node.set_data_aside(data.problem, self._data_size(primary))
            case Condition.EMPTY:
                self.node.workload.write_data_record("")
            case Condition.PRESENT:
                pass

    def _keep_records(self, startup: Startup, *, only_facts: bool = False) -> None:
        """Keep what the next start has to know.

        Args:
            startup: What is known now that the server runs.
            only_facts: Whether to leave out how new the data are, which is kept beside them.
        """
        node = self.node
        node.write_start_facts(startup.recorded_facts(self.passwords.admin))
        if only_facts:
            return
        others = [p.address for p in self.peers.all() if p.started and p.unit != self.peers.unit]
        with contextlib.suppress(ServerError):
            epoch = startup.shared.epoch
            node.record_data(
                data_record(self.cluster, self.peers.unit, node.address, epoch, others)
            )

    def _data(self) -> Data:
        """What this unit's data directory holds for a server that starts."""
        if self.node.workload.is_running("server"):
            return Data(Condition.PRESENT)  # Only the Sentinel has to start.
        return self.node.data()

    def _data_size(self, address: str) -> int:
        """How many bytes of disk a copy of a server's data takes at the most; 0 if unknown."""
        try:
            return 2 * self.cluster.used_memory(address)
        except ServerError:
            return 0

    def _check_server(self) -> None:
        """Raise an error if the server has ended since it was started."""
        if self.node.workload.is_running("server"):
            return
        raise WorkloadError(f"the server has ended: {self.node.workload.last_log_line('server')}")

    def _successor(self, peers: Sequence[Peer]) -> str:
        """The unit that begins if the known primary is gone and none can have its data."""
        own = self.node.address
        others = [peer for peer in peers if peer.unit != self.peers.unit]
        if any(peer.started for peer in others) or self.planned_units() != 1 + len(others):
            return ""
        if not others:
            return own
        if not self.is_leader or any(peer.started for peer in peers):
            return own if self.is_leader else ""
        return choose_first_primary(peers, own).address

    def _publish(
        self,
        tls: TlsFiles,
        *,
        has_started: bool,
        restarted: bool = False,
        data: Data | None = None,
        is_withheld: bool = False,
    ) -> None:
        """Tell the other units about this one.

        Args:
            tls: The unit's certificates.
            has_started: Whether the servers have ever been started.
            restarted: Whether one was started just now, so that the leader looks at it again.
            data: What lay in the data directory before a start; None if nothing was to start.
            is_withheld: Whether the server was not started because of it.
        """
        node = self.node
        digest = node.config_digest(self.passwords, self.settings) if has_started else ""
        need = RestartNeed.NONE
        if has_started and digest != node.running_config_digest():
            need = RestartNeed.SERVERS
        elif has_started and tls.sentinel_needs_restart:
            need = RestartNeed.SENTINEL
        own = self.peers.own()
        generation = 0
        if has_started:
            generation = own.generation + 1 if restarted else max(own.generation, 1)
        report = own.data
        if data:
            report = DataReport.of(
                data, is_withheld=is_withheld, is_accepted=node.accepts_data_loss
            )
        self.peers.publish_unit(
            Peer(
                self.peers.unit,
                node.address,
                generation=generation,
                config_digest=digest,
                restart_need=need,
                memory=node.workload.memory(),
                tls=tls.report(),
                data=report,
            )
        )

    def _follow_address(self) -> None:
        """Stop servers that listen on a former address of this unit."""
        old = self.node.started_address()
        if old and old != self.node.address:
            self.node.stop(f"the unit's address has changed from {old} to {self.node.address}")

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
        reason = self._reason_to_restart_sentinel(tls, may_restart=may_restart)
        if not reason and startup.sentinel_is_idle():
            reason = "it monitors nothing"
        if reason:
            self.node.stop_service("sentinel", reason)
            return True
        if reason := startup.reason_to_restart():
            self.node.stop(reason)
            return True
        return self.is_periodic and self._repair.undo_changes()

    def keep_account_files(self, shared: SharedState) -> None:
        """Keep the files from which the servers take their accounts when they start.

        Raises:
            WorkloadError: If a file cannot be written, or a server that clients of a removed
                account had filled does not start again.
        """
        gone = sorted(self.node.clients_in_file() - shared.accounts.keys())
        # Before the files change, which is what tells the next hook that it has to be done.
        outcome = self._repair.drop_accounts(gone) if gone else DropOutcome()
        self.node.keep_accounts(self.passwords, shared.accounts.values())
        if outcome.stopped:
            self.reconcile(shared)
        elif outcome.dropped:
            own = self.peers.own()
            self.peers.publish_unit(replace(own, generation=own.generation + 1))

    @property
    def _repair(self) -> Repair:
        return Repair(self.node, self.cluster, self.passwords, self.settings)

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

    def _wait_for_sync(self) -> bool:
        """Give the server time to begin to serve, so that the leader finds it ready.

        Returns:
            Whether it serves: a replica with the primary's data.
        """
        in_sync = False

        def is_ready() -> bool:
            nonlocal in_sync
            if not self.node.workload.is_running("server"):
                return True  # There is nothing to wait for.
            try:
                in_sync = self.cluster.observe_server(self.node.address).in_sync
            except ServerError as error:
                logger.debug("the server does not answer yet: %s", error)
            return in_sync

        until(is_ready, _SYNC_TIMEOUT, interval=0.05, clock=self.cluster.clock)
        return in_sync
