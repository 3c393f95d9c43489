"""What every hook does: this unit's servers, then, as leader, the whole application."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

import ops

from valkey_client import ValkeyProvider

from .decide.first_primary import choose_first_primary
from .decide.recheck import reason_to_recheck_cluster, reason_to_recheck_unit
from .leader import Leader, LeaderRound
from .model.peer_data import DataReport, Peer, SharedState
from .model.primary_change import NO_CHANGE, PrimaryChange
from .model.start import StartDecision
from .model.trust import Trust
from .peers import Peers
from .rules.passwords import Passwords
from .rules.settings import Settings
from .servers.cluster import connected
from .tls.certificates import Certificates
from .tls.client_cas import ClientCas
from .tls.files import TlsFiles
from .unit.node import Node
from .unit.recheck import keep_recheck
from .unit.servers import UnitServers
from .workload import Workload, WorkloadError

logger = logging.getLogger(__name__)

_MAX_OWN_ROUNDS = 5
"""How often a leader does in one hook what it has just told the units, itself included, to do:
the databag that it writes dispatches no hook of its own before this one ends."""


@dataclass(frozen=True)
class HookScope:
    """What a hook has to look at.

    Attributes:
        look_at: Ids of client relations whose requests are to be read. Others are read only if
            they wait for the cluster or were never read.
        primary_change: The change of primary that clients have to be told of at once; what this
            unit's own servers need waits for the next hook then.
        is_periodic: Whether this is update-status: what should have happened by now is not
            waited for any longer.
        is_recheck: Whether an earlier hook ended before the servers had settled and asked for
            this one.
    """

    look_at: frozenset[int] = frozenset()
    primary_change: PrimaryChange = NO_CHANGE
    is_periodic: bool = False
    is_recheck: bool = False


@dataclass
class HookOutcome:
    """What a hook came to, for the statuses.

    Attributes:
        problem: What keeps the unit from working, or from finishing its part; None if nothing.
        start: How the server started, or why it did not; None if this hook did not look.
        round: What the leader saw and did last; None on other units, and if it did not lead.
        has_failed: Whether a server, or a file that it needs, failed.
    """

    problem: ops.StatusBase | None = None
    start: StartDecision | None = None
    round: LeaderRound | None = None
    has_failed: bool = False


@dataclass(frozen=True)
class Reconciler:
    """The parts of the charm that a reconcile works with.

    Attributes:
        peers: The peer relation.
        provider: The client relations.
        certificates: The relation with the provider of certificates.
        client_cas: The relation with providers of CAs of clients.
        application: The charm's application in Juju.
        is_leader: Asks Juju whether this unit is the leader.
    """

    peers: Peers
    provider: ValkeyProvider
    certificates: Certificates
    client_cas: ClientCas
    application: ops.Application
    is_leader: Callable[[], bool]

    def reconcile(
        self,
        request: HookScope,
        *,
        workload: Workload,
        address: str,
        settings: Settings | None,
    ) -> HookOutcome:
        """Bring this unit and, as leader, the application to the state that they must have.

        Args:
            request: What to look at.
            workload: Where this unit's servers run.
            address: What they listen on.
            settings: The charm's configuration, None if a person has to correct it: new settings
                and new accounts wait then; failovers and removals are still handled.
        """
        outcome = HookOutcome()
        try:
            self._reconcile(request, workload, address, settings, outcome)
        except WorkloadError as error:
            outcome.problem, outcome.has_failed = ops.BlockedStatus(str(error)), True
            self.postpone(request.look_at)
        if outcome.round and not outcome.round.is_done:
            outcome.problem = ops.WaitingStatus("Cluster is unstable; trying again in a moment")
            self.postpone(request.look_at)
        self._keep_recheck(workload, outcome, is_recheck=request.is_recheck)
        return outcome

    def _keep_recheck(self, workload: Workload, outcome: HookOutcome, *, is_recheck: bool) -> None:
        """Look again later if this hook ended before the servers had settled."""
        reason = "" if self.provider.is_leaving else self._reason_to_recheck(outcome)
        try:
            keep_recheck(workload, reason, is_recheck=is_recheck)
        except WorkloadError as error:
            logger.warning("update-status looks again: %s", error)

    def _reason_to_recheck(self, outcome: HookOutcome) -> str:
        if outcome.has_failed:
            return "a server did not start"
        if reason := reason_to_recheck_unit(outcome.start):
            return reason
        latest = outcome.round
        if latest is None:
            return ""
        if latest.unfinished:
            return latest.unfinished
        return reason_to_recheck_cluster(latest.facts, latest.plan)

    def postpone(self, look_at: frozenset[int]) -> None:
        """Make a later hook look at these relations, because this one could not."""
        shared = self.peers.shared()
        if self.is_leader() and look_at - shared.pending:
            self.peers.update_shared(replace(shared, pending=shared.pending | look_at))

    def passwords(self) -> Passwords | None:
        """The internal passwords, None before the leader has made them."""
        uri = self.peers.shared().secret
        if not uri:
            return None
        secret = self.provider.model.get_secret(id=uri)
        return Passwords.read(secret.peek_content())

    def trust(self, shared: SharedState, address: str) -> Trust:
        """Whether to speak TLS with servers, and which CAs to trust."""
        policy = shared.tls
        own = address if policy.cas else ""
        return Trust(policy.bundle, is_strict=policy.is_strict, own_address=own)

    def _reconcile(
        self,
        request: HookScope,
        workload: Workload,
        address: str,
        settings: Settings | None,
        outcome: HookOutcome,
    ) -> None:
        workload.version()
        if self.peers.relation is None:
            return
        node = Node(workload, address)
        shared = self._appoint_first_primary(self._bootstrap(node), node, outcome)
        passwords = self.passwords()
        if passwords is None:
            self._introduce(node)
            return
        self._receive_certificate(workload)
        with connected(passwords.admin, self.trust(shared, address)) as cluster:
            is_leader, is_leaving = self.is_leader(), self.provider.is_leaving
            servers = settings and UnitServers(
                node=node,
                cluster=cluster,
                peers=self.peers,
                passwords=passwords,
                settings=settings,
                planned_units=self.application.planned_units,
                is_leader=is_leader,
                is_periodic=request.is_periodic,
            )
            # A unit that is being removed may get hooks after it has stopped; it starts nothing.
            if servers and request.primary_change == NO_CHANGE and not is_leaving:
                self._reconcile_servers(servers, shared, outcome)
            # A leader that is being removed sees its relations break one by one, although they
            # go on for the other units.
            if is_leader and not is_leaving:
                leader = Leader(
                    peers=self.peers,
                    provider=self.provider,
                    client_cas=self.client_cas,
                    cluster=cluster,
                    settings=settings,
                    planned_units=self.application.planned_units(),
                    has_certificates=self.certificates.has_provider,
                    is_periodic=request.is_periodic,
                    passwords=passwords,
                )
                outcome.round = leader.lead(shared, request.look_at, request.primary_change)
                # A hook for a failover is short; the next one does what this unit needs.
                if servers and request.primary_change == NO_CHANGE:
                    self._follow_own_orders(leader, servers, shared, address, outcome)
            shared = self.peers.shared()
            if servers and not is_leaving:
                servers.keep_account_files(shared)
            else:
                node.keep_accounts(passwords, shared.accounts.values())
            node.keep_script()

    def _follow_own_orders(
        self,
        leader: Leader,
        servers: UnitServers,
        shared: SharedState,
        address: str,
        outcome: HookOutcome,
    ) -> None:
        """Do on the leader's own unit what all units were told in this hook, and lead again."""
        for _ in range(_MAX_OWN_ROUNDS):
            before, shared = shared, self.peers.shared()
            if shared.restarting_unit != self.peers.unit and shared.tls == before.tls:
                return
            leader.cluster.use_trust(self.trust(shared, address))
            self._reconcile_servers(servers, shared, outcome)
            shared = self.peers.shared()
            outcome.round = leader.lead(shared)

    def _reconcile_servers(
        self, servers: UnitServers, shared: SharedState, outcome: HookOutcome
    ) -> None:
        """Keep this unit's servers. What a leader does for all units does not depend on them."""
        try:
            outcome.start = servers.reconcile(shared)
        except WorkloadError as error:
            outcome.problem, outcome.has_failed = ops.BlockedStatus(str(error)), True

    def _bootstrap(self, node: Node) -> SharedState:
        """As leader, create what the cluster begins with: passwords and a first primary."""
        shared = self.peers.shared()
        if shared.secret or not self.is_leader():
            return shared
        passwords = Passwords(*(secrets.token_hex(32) for _ in range(4)))
        label = f"{self.peers.endpoint}.internal"
        secret = self.application.add_secret(passwords.content(), label=label)
        logger.info("bootstrapping the cluster")
        shared = SharedState(secret=secret.id or "")
        own = Peer(self.peers.unit, node.address, data=DataReport.of(node.data()))
        if choose_first_primary([own], node.address).address:
            shared = self._appoint(shared, own)
        self.peers.update_shared(shared)
        return shared

    def _appoint(self, shared: SharedState, peer: Peer) -> SharedState:
        logger.info("no unit has a server: the first primary is %s (%s)", peer.unit, peer.address)
        return replace(shared, first_unit=peer.unit, first_primary=peer.address)

    def _introduce(self, node: Node) -> None:
        """Tell the others of this unit before its servers can start: the leader counts it."""
        report = DataReport.of(node.data(), is_accepted=node.accepts_data_loss)
        memory = node.workload.memory()
        self.peers.publish_unit(Peer(self.peers.unit, node.address, memory=memory, data=report))

    def _appoint_first_primary(
        self, shared: SharedState, node: Node, outcome: HookOutcome
    ) -> SharedState:
        """As leader, name the unit with the newest data when no unit has ever had a server."""
        peers = self.peers.all()
        is_appointed = shared.first_unit in {peer.unit for peer in peers}
        if not shared.secret or not self.is_leader() or is_appointed:
            return shared
        if any(peer.started for peer in peers) or len(peers) != self.application.planned_units():
            return shared
        # What this unit has published is of an earlier hook.
        report = DataReport.of(node.data(), is_accepted=node.accepts_data_loss)
        own = self.peers.unit
        peers = tuple(replace(p, data=report) if p.unit == own else p for p in peers)
        choice = choose_first_primary(peers, node.address)
        if choice.doubt:
            outcome.problem = ops.BlockedStatus(choice.doubt)
        chosen = next((peer for peer in peers if peer.address == choice.address), None)
        if chosen is None:
            return shared
        shared = replace(self._appoint(shared, chosen), epoch=shared.epoch + 1)
        self.peers.update_shared(shared)
        return shared

    def _receive_certificate(self, workload: Workload) -> None:
        """Read what the provider of certificates wrote, if this hook may be about it."""
        if self.certificates.is_relevant:
            files = TlsFiles(workload, self.peers.shared().tls)
            has_tls = not self.certificates.has_provider or workload.has_tls()
            self.certificates.receive(files, has_tls=has_tls)
