"""The charm: every event ends in one reconcile."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import ops

from valkey_client import RequestsChangedEvent, RequestsReleasedEvent, ValkeyProvider

from . import apply, plan, turns
from .actions import Actions, Means
from .agreement import observe_settled
from .cluster import Cluster, connected
from .facts import Asked, Facts
from .handover import await_agreement, hand_over
from .node import Node
from .passwords import Passwords
from .peers import Peers, Shared
from .settings import Settings, SettingsError
from .status import application_status, sharing
from .switchover import SwitchoverError, switch_over
from .tls.client_cas import ClientCas
from .tls.proofs import OPERATOR
from .tls.relation import Certificates
from .tls.status import unit_statuses
from .tls.unit import UnitTls
from .trust import Trust
from .unit import UnitServers
from .workload import Workload, WorkloadError
from .workload.process import ProcessWorkload
from .workload.wake import NOTICE, Move

logger = logging.getLogger(__name__)

CERTIFICATES = "certificates"
CLIENT_CAS = "client-cas"
CLIENTS = "valkey-client"
PEERS = "valkey-peers"

_ATTEMPTS = 3
"""How often facts are gathered anew when a server goes away in between."""


_OWN_WORDS = 5
"""How often a leader, a unit too, does in one hook what it has just told the units to do."""


class PrimaryChangedEvent(ops.EventBase):
    """The leader's Sentinel has seen the primary move; see :mod:`.workload.wake`."""


class PrimaryLostEvent(ops.EventBase):
    """This unit's Sentinel has seen the primary move away from this unit."""


class OperatorEvents(ops.CharmEvents):
    """Juju's events and those that Sentinel asks for."""

    primary_changed = ops.EventSource(PrimaryChangedEvent)
    primary_lost = ops.EventSource(PrimaryLostEvent)


class ValkeyOperatorCharm(ops.CharmBase):
    """Valkey with Sentinel, one server and one Sentinel a unit."""

    on = OperatorEvents()  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride]

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.peers = Peers(self, PEERS)
        self.provider = ValkeyProvider(self, CLIENTS)
        self.certificates = Certificates(self, CERTIFICATES)
        self.client_cas = ClientCas(self, CLIENT_CAS)
        if self.certificates.is_asked and self.workload is not None:
            self.certificates.ask(self.address, self.workload.names())
        self.actions = Actions(
            self, Means(self.peers, self.provider, self._connected, self.reconcile)
        )
        self._has_looked = self._is_net = False
        self._problem: ops.StatusBase | None = None
        self._waits_for_others = False
        self._facts: Facts | None = None
        self._refused: list[int] = []
        events, offers = self.on[PEERS], self.on[CERTIFICATES]
        for source in (
            self.on.install,
            self.on.start,
            self.on.primary_lost,
            events.relation_created,
            events.relation_joined,
            events.relation_changed,
            events.relation_departed,
            offers.relation_created,
            offers.relation_changed,
            offers.relation_broken,
            self.on[CLIENT_CAS].relation_changed,
            self.on[CLIENT_CAS].relation_broken,
            self.on.secret_changed,
            self.on.secret_expired,
        ):
            framework.observe(source, self._on_event)
        for source in (self.on.leader_elected, self.on.upgrade_charm, self.on.config_changed):
            framework.observe(source, self._on_every_request)
        framework.observe(self.provider.on.changed, self._on_requests_changed)
        framework.observe(self.provider.on.released, self._on_requests_released)
        framework.observe(self.on.primary_changed, self._on_primary_changed)
        framework.observe(self.on.update_status, self._on_update_status)
        for container in self.meta.containers:
            framework.observe(self.on[container].pebble_custom_notice, self._on_notice)
        framework.observe(self.on.stop, self._on_stop)
        framework.observe(self.on.secret_remove, self._on_secret_remove)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)
        framework.observe(self.on.collect_app_status, self._on_collect_app_status)

    # Events.

    def _on_event(self, _: ops.EventBase) -> None:
        self.reconcile()

    def _on_every_request(self, _: ops.EventBase) -> None:
        # What a leader did not see while another unit led, it looks up now.
        self.reconcile(look_at=[relation.id for relation in self.provider.relations])

    def _on_primary_changed(self, _: PrimaryChangedEvent) -> None:
        self.reconcile(move=Move.of_this_hook())

    def _on_update_status(self, _: ops.UpdateStatusEvent) -> None:
        self.reconcile(is_net=True)

    def _on_notice(self, event: ops.PebbleCustomNoticeEvent) -> None:
        if event.notice.key != NOTICE:
            return
        move = Move.of_notice(event.notice.last_data)
        if self.unit.is_leader():
            self.reconcile(move=move)
        if move.old == self.address:
            self.reconcile()

    def _on_requests_changed(self, event: RequestsChangedEvent) -> None:
        self.reconcile(look_at=[event.relation.id])

    def _on_requests_released(self, event: RequestsReleasedEvent) -> None:
        self.reconcile(look_at=[event.relation.id])

    def _on_stop(self, _: ops.StopEvent) -> None:
        """Leave the cluster: hand over first if this unit is the primary and others stay."""
        workload, address = self.workload, self.address
        if workload is None or not address:
            return
        connection = self._connected()
        if connection and self.app.planned_units() > 0:
            with connection as cluster:
                hand_over(cluster, address)
        Node(workload, address).stop()

    def _on_secret_remove(self, event: ops.SecretRemoveEvent) -> None:
        try:
            event.remove_revision()
        except ops.SecretNotFoundError:
            logger.info("the secret is gone with all of its revisions")

    # What this unit is.

    @property
    def workload(self) -> Workload | None:
        """Where the servers run; None on a substrate that this charm does not support."""
        if directory := os.environ.get("LOCALJUJU_DIR"):
            return ProcessWorkload(Path(directory) / "valkey", self._data, self.unit.name)
        return None

    def _data(self) -> Path:
        return self.model.storages["data"][0].location

    @property
    def address(self) -> str:
        """The address that this unit's servers listen on."""
        network = self.model.get_binding(PEERS)
        found = network.network.ingress_address if network else None
        return str(found) if found else ""

    def passwords(self) -> Passwords | None:
        """The internal passwords, None before the leader has made them."""
        uri = self.peers.shared().secret
        return Passwords.read(self.model.get_secret(id=uri).peek_content()) if uri else None

    def _connected(self) -> AbstractContextManager[Cluster] | None:
        """A way to all servers, None before there are internal passwords."""
        passwords = self.passwords()
        return connected(passwords.admin, self._trust(self.peers.shared())) if passwords else None

    def _trust(self, shared: Shared) -> Trust:
        word = shared.tls
        return Trust(word.bundle, is_strict=word.is_strict, own=self.address if word.cas else "")

    # Reconcile.

    def reconcile(
        self, look_at: Iterable[int] = (), move: Move | None = None, *, is_net: bool = False
    ) -> None:
        """Bring this unit, and as leader the application, to what it shall be.

        Args:
            look_at: The client relations whose requests are to be read. Others are read only if
                they wait for the cluster or were never seen.
            move: The change of primary that clients have to be told of at once; what this unit's
                own servers need waits for the next hook then.
            is_net: Whether to go on without units that have not done their part by now.
        """
        relations, self._has_looked, self._is_net = frozenset(look_at), True, is_net
        try:
            self._reconcile(relations, move)
        except WorkloadError as error:
            self._problem = ops.BlockedStatus(str(error))
            self._postpone(relations)

    def _postpone(self, look_at: frozenset[int]) -> None:
        """Let a later hook look at these relations, because this one could not."""
        shared = self.peers.shared()
        if self.unit.is_leader() and look_at - shared.pending:
            self.peers.share(replace(shared, pending=shared.pending | look_at))

    def _reconcile(self, look_at: frozenset[int], move: Move | None) -> None:
        settings, workload = self._settings(), self.workload
        if workload is None:
            raise WorkloadError("this build of the charm runs in localjuju only")
        workload.version()
        if self.peers.relation is None:
            return
        node = Node(workload, self.address)
        shared = self._found_application(node)
        passwords = self.passwords()
        if passwords is None:
            self.peers.announce(node.address, started=False, memory=workload.memory())
            return
        self._receive_certificate(workload)
        with connected(passwords.admin, self._trust(shared)) as cluster:
            servers = settings and UnitServers(
                node=node,
                cluster=cluster,
                peers=self.peers,
                passwords=passwords,
                settings=settings,
                planned=self.app.planned_units,
                leads=self.unit.is_leader(),
            )
            # A unit that is leaving may be woken after it has stopped; it starts nothing again.
            if servers and move is None and not self.provider.is_leaving:
                self._run(servers, shared)
            # A leader that is being removed sees its relations break one by one; it is not the
            # one to judge what is gone.
            if self.unit.is_leader() and not self.provider.is_leaving:
                self._lead(cluster, shared, settings, look_at, move or Move())
                for _ in range(_OWN_WORDS):
                    told, shared = shared, self.peers.shared()
                    is_told = shared.turn == self.unit.name or shared.tls != told.tls
                    if move or servers is None or not is_told:
                        break
                    # Juju does not tell a leader what it wrote itself.
                    cluster.expect(self._trust(shared))
                    self._run(servers, shared)
                    shared = self.peers.shared()
                    self._lead(cluster, shared, settings, frozenset(), Move())
        node.keep_accounts(passwords, self.peers.shared().accounts.values())

    def _settings(self) -> Settings | None:
        """The configuration; None if a person has to correct it.

        Nothing is set anew then and nothing new is given. All else goes on: endpoints follow a
        failover, accounts go with their relations.
        """
        try:
            return Settings.load(self.config)
        except SettingsError as error:
            self._problem = ops.BlockedStatus(str(error))
            return None

    def _run(self, servers: UnitServers, shared: Shared) -> None:
        """Keep this unit's servers. What a leader does for all units does not wait for them."""
        try:
            self._waits_for_others = not servers.run(shared)
        except WorkloadError as error:
            self._problem = ops.BlockedStatus(str(error))

    def _found_application(self, node: Node) -> Shared:
        """As leader, make what the application begins with: passwords and a first primary."""
        shared = self.peers.shared()
        if shared.secret or not self.unit.is_leader():
            return shared
        passwords = Passwords(*(secrets.token_hex(32) for _ in range(4)))
        secret = self.app.add_secret(passwords.content(), label=f"{PEERS}.internal")
        shared = Shared(secret=secret.id or "", first_primary=node.address)
        self.peers.share(shared)
        return shared

    def _receive_certificate(self, workload: Workload) -> None:
        """Look at what the provider of certificates says, if this hook may be about it."""
        if self.certificates.is_asked:
            unit = UnitTls(workload, self.peers.shared().tls)
            has_tls = not self.certificates.exists or workload.has_tls()
            self.certificates.receive(unit, has_tls=has_tls)

    def _lead(
        self,
        cluster: Cluster,
        shared: Shared,
        settings: Settings | None,
        look_at: frozenset[int],
        move: Move,
    ) -> None:
        relations = {relation.id: relation for relation in self.provider.relations}
        served = {account.relation_id for account in shared.accounts.values()}
        wanted = look_at | shared.pending | (relations.keys() - served)
        asked = tuple(self._asked(relations[i]) for i in sorted(wanted & relations.keys()))
        client_cas = self.client_cas.read(are_trusted=OPERATOR in shared.tls.proofs)
        peers = self.peers.all()
        planned = self.app.planned_units()
        failed: set[str] = set()
        for _ in range(_ATTEMPTS):
            found = observe_settled(
                cluster,
                (peer.address for peer in peers if peer.started),
                move,
                shared.published,
            )
            facts = Facts(
                peers=peers,
                shared=shared,
                cluster=found.without(failed),
                relation_ids=frozenset(relations),
                asked=asked,
                settings=settings,
                planned=planned,
                certificates=self.certificates.exists,
                is_net=self._is_net,
                client_cas=client_cas,
            )
            steps = plan.plan(facts, lambda: secrets.token_hex(32))
            self._facts, self._refused = facts, plan.not_isolated(steps)
            try:
                apply.apply(steps, cluster, self.provider, self.peers, facts)
            except apply.NodeError as error:
                # It counts as absent from here on, so that it stops nobody but new accounts.
                logger.warning("a server fails: %s", error)
                failed.add(error.address)
            else:
                self._give_turn(cluster, facts)
                return
        self._problem = ops.WaitingStatus("servers come and go; trying again later")
        self._postpone(look_at)

    def _give_turn(self, cluster: Cluster, facts: Facts) -> None:
        """Let the next unit start its servers again that has to, one at a time."""
        turn = turns.next_turn(facts)
        if turn and turns.must_switch_over(facts, turn):
            try:
                switch_over(cluster, facts.cluster)
                await_agreement(cluster, [peer.address for peer in facts.peers])
            except SwitchoverError as error:
                logger.warning("no turn is given yet: %s", error)
                turn = ""
        shared = self.peers.shared()
        if turn != shared.turn:
            self.peers.share(replace(shared, turn=turn))

    def _asked(self, relation: ops.Relation) -> Asked:
        said = self.provider.responses_of(relation)
        requests = self.provider.requests_of(relation)
        granted = {r.request_id: r for r in said.responses if r.is_granted}
        if said.wire != requests.wire:
            granted = {}
        shown = {
            request.request_id: self.provider.certificate_of(request)
            for request in requests.requests
            if request.digest != request.options.digest
        }
        return Asked(relation.id, requests, granted, relation.app.name, shown)

    # Status.

    def _on_collect_unit_status(self, event: ops.CollectStatusEvent) -> None:
        if not self._has_looked:
            return  # The status of before stays.
        if self._problem:
            event.add_status(self._problem)
            return
        event.add_status(self._status_of_servers())
        if (problem := self.client_cas.problem) and self.unit.is_leader():
            event.add_status(ops.BlockedStatus(problem))
        if self.workload is not None and self.certificates.exists:
            word = self.peers.shared().tls
            for status in unit_statuses(UnitTls(self.workload, word).state, word):
                event.add_status(status)

    def _status_of_servers(self) -> ops.StatusBase:
        workload = self.workload
        if workload is None:
            return ops.BlockedStatus("this build of the charm runs in localjuju only")
        if not self.peers.relation or not self.peers.shared().secret:
            return ops.WaitingStatus("waiting for the leader to found the cluster")
        if self._waits_for_others:
            return ops.WaitingStatus("the server waits for units that know who is primary now")
        if not workload.is_running("server"):
            return ops.MaintenanceStatus("the server does not run; it will be started")
        if not workload.is_running("sentinel"):
            return ops.MaintenanceStatus("the Sentinel does not run")
        return ops.ActiveStatus(sharing(self.peers.shared().accounts.values()))

    def _on_collect_app_status(self, event: ops.CollectStatusEvent) -> None:
        if self._problem:
            event.add_status(self._problem)
        elif self._facts is not None:
            accounts = tuple(self.peers.shared().accounts.values())
            event.add_status(application_status(self._facts, accounts, self._refused))
        # An event that did not look at the cluster leaves the status as it is.
