"""The charm: which event does what. Every change is made by one reconcile."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from dataclasses import replace

import ops

from valkey_client import RequestsChangedEvent, RequestsReleasedEvent, ValkeyProvider

from .actions import ActionDependencies, Actions
from .decide.certificate_status import unit_statuses
from .decide.status import address_problem, application_status, shared_keys
from .model.primary_change import PrimaryChange
from .model.start import Start, StartDecision
from .peers import Peers
from .reconcile import HookOutcome, HookScope, Reconciler
from .rules.append_only import DataRecord
from .rules.settings import Settings
from .servers.cluster import Cluster, connected
from .servers.connection import ServerError
from .servers.handover import hand_over
from .tls.certificates import Certificates
from .tls.client_cas import ClientCas
from .tls.files import TlsFiles
from .unit.data_record import data_record, other_servers
from .unit.node import Node
from .unit.start_check import reason_to_refuse
from .workload import Workload
from .workload.detect import UNSUPPORTED, detect_workload
from .workload.sentinel_script import NOTICE, primary_change_of_hook, primary_change_of_notice

logger = logging.getLogger(__name__)

CERTIFICATES = "certificates"
CLIENT_CAS = "client-cas"
CLIENTS = "valkey-client"
PEERS = "valkey-peers"


class PrimaryChangedEvent(ops.EventBase):
    """The leader's Sentinel reports a new primary; see :mod:`.workload.sentinel_script`."""


class PrimaryLostEvent(ops.EventBase):
    """This unit's Sentinel reports that this unit's server is no longer the primary."""


class RecheckEvent(ops.EventBase):
    """This unit's last hook ended before the servers had settled; see :mod:`.decide.recheck`."""


class OperatorEvents(ops.CharmEvents):
    """Juju's events and those that Sentinel's script and a recheck dispatch."""

    primary_changed = ops.EventSource(PrimaryChangedEvent)
    primary_lost = ops.EventSource(PrimaryLostEvent)
    recheck = ops.EventSource(RecheckEvent)


class ValkeyOperatorCharm(ops.CharmBase):
    """Valkey with Sentinel, one server and one Sentinel a unit."""

    on = OperatorEvents()  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride]

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.peers = Peers(self, PEERS)
        self.provider = ValkeyProvider(self, CLIENTS)
        self.certificates = Certificates(self, CERTIFICATES)
        self.client_cas = ClientCas(self, CLIENT_CAS)
        if self.certificates.is_relevant and self.workload is not None:
            self.certificates.request(self.address, self.workload.dns_names())
        self._reconciler = Reconciler(
            peers=self.peers,
            provider=self.provider,
            certificates=self.certificates,
            client_cas=self.client_cas,
            application=self.app,
            is_leader=self.unit.is_leader,
        )
        self.actions = Actions(
            self,
            ActionDependencies(
                self.peers, self.provider, self._connected, self._reconcile, self._node
            ),
        )
        # Statuses are those of what this hook did; None leaves the last ones.
        self._outcome: HookOutcome | None = None
        self._observe_events()

    def _observe_events(self) -> None:
        peers, certificates, client_cas = (
            self.on[PEERS],
            self.on[CERTIFICATES],
            self.on[CLIENT_CAS],
        )
        for event in (
            self.on.install,
            self.on.start,
            self.on.primary_lost,
            peers.relation_created,
            peers.relation_joined,
            peers.relation_changed,
            peers.relation_departed,
            certificates.relation_created,
            certificates.relation_changed,
            certificates.relation_broken,
            client_cas.relation_changed,
            client_cas.relation_broken,
            self.on.secret_changed,
            self.on.secret_expired,
        ):
            self.framework.observe(event, self._on_event)
        for event in (self.on.leader_elected, self.on.upgrade_charm, self.on.config_changed):
            self.framework.observe(event, self._on_look_at_all)
        for event in (self.provider.on.changed, self.provider.on.released):
            self.framework.observe(event, self._on_requests)
        self.framework.observe(self.on.primary_changed, self._on_primary_changed)
        self.framework.observe(self.on.recheck, self._on_recheck)
        self.framework.observe(self.on.update_status, self._on_update_status)
        for container in self.meta.containers:
            self.framework.observe(self.on[container].pebble_custom_notice, self._on_notice)
        self.framework.observe(self.on.stop, self._on_stop)
        self.framework.observe(self.on.secret_remove, self._on_secret_remove)
        self.framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)
        self.framework.observe(self.on.collect_app_status, self._on_collect_app_status)

    # Events.

    def _on_event(self, _: ops.EventBase) -> None:
        self._reconcile()

    def _on_look_at_all(self, _: ops.EventBase) -> None:
        # What a leader did not see while another unit led, it looks up now.
        self._reconcile(HookScope(frozenset(relation.id for relation in self.provider.relations)))

    def _on_requests(self, event: RequestsChangedEvent | RequestsReleasedEvent) -> None:
        self._reconcile(HookScope(frozenset({event.relation.id})))

    def _on_primary_changed(self, _: PrimaryChangedEvent) -> None:
        self._follow(primary_change_of_hook())

    def _on_recheck(self, _: RecheckEvent) -> None:
        self._reconcile(HookScope(is_recheck=True))

    def _on_update_status(self, _: ops.UpdateStatusEvent) -> None:
        self._reconcile(HookScope(is_periodic=True))

    def _on_notice(self, event: ops.PebbleCustomNoticeEvent) -> None:
        if event.notice.key != NOTICE:
            return
        primary_change = primary_change_of_notice(event.notice.last_data)
        if self.unit.is_leader():
            self._follow(primary_change)
        if primary_change.old == self.address:
            self._reconcile()

    def _follow(self, primary_change: PrimaryChange) -> None:
        """As leader, tell clients of the new primary at once."""
        logger.info("Sentinel: primary %s -> %s", primary_change.old, primary_change.new)
        self._reconcile(HookScope(primary_change=primary_change))

    def _on_stop(self, _: ops.StopEvent) -> None:
        """Leave the cluster: hand over first if this unit is the primary and others stay."""
        workload, address = self.workload, self.address
        if workload is None or not address:
            return
        node, record = Node(workload, address), None
        if connection := self._connected():
            with connection as cluster:
                if self.app.planned_units() > 0:
                    hand_over(cluster, address)
                record = self._final_record(node, cluster)
        workload.cancel_recheck()
        node.stop("the unit is stopping")
        if record:
            node.record_data(record)

    def _final_record(self, node: Node, cluster: Cluster) -> DataRecord | None:
        """How new this unit's data are when its server stops; None if it does not answer."""
        address = node.address
        others, epoch = other_servers(cluster, address), self.peers.shared().epoch
        last = node.data().record
        if last and len(others) < self.app.planned_units():
            others |= set(last.others)  # Some do not answer.
        try:
            record = data_record(cluster, self.unit.name, address, epoch, others)
        except ServerError:
            return None
        return replace(record, is_final=True)

    def _on_secret_remove(self, event: ops.SecretRemoveEvent) -> None:
        """Remove a revision of a secret of this charm's own; the library has those of requests."""
        if (event.secret.label or "").startswith(f"{CLIENTS}."):
            return
        try:
            event.remove_revision()
        except ops.SecretNotFoundError:
            logger.info("the secret is gone with all of its revisions")

    # What this unit is.

    @property
    def workload(self) -> Workload | None:
        """Where the servers run; None on a substrate that this charm does not support."""
        return detect_workload(self, reason_to_refuse)

    @property
    def address(self) -> str:
        """The address that this unit's servers listen on; empty before Juju knows it."""
        network = self.model.get_binding(PEERS)
        address = network.network.ingress_address if network else None
        return str(address) if address else ""

    def _node(self) -> Node | None:
        workload = self.workload
        return Node(workload, self.address) if workload and self.address else None

    def _connected(self) -> AbstractContextManager[Cluster] | None:
        """Connections to all servers, None before there are internal passwords."""
        passwords = self._reconciler.passwords()
        if passwords is None:
            return None
        trust = self._reconciler.trust(self.peers.shared(), self.address)
        return connected(passwords.admin, trust)

    # Reconcile.

    def _reconcile(self, request: HookScope = HookScope()) -> None:  # noqa: B008
        """Bring this unit and, as leader, the application to the state that they must have."""
        workload = self.workload
        if workload is None:
            self._outcome = HookOutcome(ops.BlockedStatus(UNSUPPORTED))
            self._reconciler.postpone(request.look_at)
            return
        if problem := address_problem(self.address, PEERS):
            self._outcome = HookOutcome(problem)
            self._reconciler.postpone(request.look_at)
            return
        settings, problem = self._settings()
        outcome = self._reconciler.reconcile(
            request, workload=workload, address=self.address, settings=settings
        )
        outcome.problem = outcome.problem or problem
        self._outcome = outcome

    def _settings(self) -> tuple[Settings | None, ops.StatusBase | None]:
        """The configuration; if it is invalid, the status that says why instead."""
        try:
            return self.load_config(Settings), None
        except ValueError as error:
            return None, ops.BlockedStatus(str(error))

    # Status.

    def _on_collect_unit_status(self, event: ops.CollectStatusEvent) -> None:
        if self._outcome is None:
            return
        if self._outcome.problem:
            event.add_status(self._outcome.problem)
            return
        event.add_status(self._servers_status(self._outcome))
        if (problem := self.client_cas.problem) and self.unit.is_leader():
            event.add_status(ops.BlockedStatus(problem))
        if self.workload is not None and self.certificates.has_provider:
            policy = self.peers.shared().tls
            certificates = TlsFiles(self.workload, policy).certificates
            for status in unit_statuses(certificates, policy, self.certificates.provider):
                event.add_status(status)

    def _servers_status(self, outcome: HookOutcome) -> ops.StatusBase:
        workload = self.workload
        if workload is None:
            return ops.BlockedStatus(UNSUPPORTED)
        if not self.peers.relation or not self.peers.shared().secret:
            return ops.WaitingStatus("Waiting for the leader to bootstrap the cluster")
        if outcome.start and not outcome.start.with_server:
            return _waiting_status(outcome.start)
        if not workload.is_running("server"):
            return ops.MaintenanceStatus("Valkey is not running; starting it")
        if not workload.is_running("sentinel"):
            return ops.MaintenanceStatus("Sentinel is not running; starting it")
        latest = outcome.round
        accounts = latest.plan.shared.accounts.values() if latest else ()
        sharing = shared_keys(latest.facts, accounts) if latest else ""
        problem = Node(workload, self.address).disk_problem()
        return ops.ActiveStatus("; ".join(text for text in (problem, sharing) if text))

    def _on_collect_app_status(self, event: ops.CollectStatusEvent) -> None:
        if self._outcome is None:
            return
        if self._outcome.problem:
            event.add_status(self._outcome.problem)
        elif latest := self._outcome.round:
            event.add_status(application_status(latest.facts, latest.plan))


def _waiting_status(decision: StartDecision) -> ops.StatusBase:
    """Why the server of this unit does not run."""
    if decision.start is Start.BLOCKED:
        return ops.BlockedStatus(f"Valkey is not started: {decision.reason}")
    if not decision.reason:
        return ops.WaitingStatus("Waiting for a peer that knows the current primary")
    return ops.WaitingStatus(f"Valkey is not started: {decision.reason}")
