"""What the leader does for the whole application in a hook: observe, plan, apply."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import ops

from valkey_client import ValkeyProvider

from .apply import NodeError, apply_plan
from .decide.client_cas import OPERATOR
from .decide.plan import Plan, plan
from .decide.rolling_restart import must_switch_over, next_unit_to_restart
from .model.facts import ClientRelation, Facts
from .model.peer_data import Peer, SharedState
from .model.primary_change import NO_CHANGE, PrimaryChange
from .peers import Peers
from .rules.acl_file import Rule, account_rules
from .rules.passwords import Passwords
from .rules.settings import Settings
from .servers.cluster import Cluster
from .servers.connection import Connection, ServerError
from .servers.convergence import observe_until_stable
from .servers.drift import restore_accounts
from .servers.handover import await_agreement
from .servers.switchover import SwitchoverError, switch_over
from .tls.client_cas import ClientCas

logger = logging.getLogger(__name__)

_UPDATE_STATUS_INTERVAL = 300
"""Seconds from one update-status to the next, by Juju's default."""

_ATTEMPTS = 3
"""How often facts are gathered again when a server stops answering in between."""


@dataclass(frozen=True)
class LeaderRound:
    """What the leader saw and did last in a hook.

    Attributes:
        facts: What it saw.
        plan: What it decided.
        is_done: Whether it was carried out; if not, servers kept failing.
        unfinished: What could not be done now and is to be tried again soon; empty if nothing.
    """

    facts: Facts
    plan: Plan
    is_done: bool
    unfinished: str = ""


@dataclass(frozen=True)
class Leader:
    """The leader's part of a hook.

    Attributes:
        peers: The units.
        provider: The clients.
        client_cas: The CAs that the Juju operator integrated for clients.
        cluster: Connections to all servers.
        settings: The charm's configuration, None if a person has to correct it.
        planned_units: How many units Juju plans.
        has_certificates: Whether there is a provider of certificates.
        is_periodic: Whether this is update-status.
        passwords: Of the internal accounts.
    """

    peers: Peers
    provider: ValkeyProvider
    client_cas: ClientCas
    cluster: Cluster
    settings: Settings | None
    planned_units: int
    has_certificates: bool
    is_periodic: bool
    passwords: Passwords

    def lead(
        self,
        shared: SharedState,
        look_at: frozenset[int] = frozenset(),
        primary_change: PrimaryChange = NO_CHANGE,
    ) -> LeaderRound:
        """Bring servers, accounts, clients and units to the state that they must have.

        Args:
            shared: What the units were told last.
            look_at: Relations whose requests are to be read, beside those that wait or were never
                read.
            primary_change: The change of primary that this hook was dispatched for.
        """
        applications = {r.id: r.app.name for r in self.provider.relations}
        client_relations = self._client_relations(shared, look_at)
        operator_cas = self.client_cas.read(
            trusted=shared.tls.client_cas_by_source.get(OPERATOR, ())
        )
        peers = self.peers.all()
        failed: set[str] = set()
        for attempt in range(1, _ATTEMPTS + 1):
            addresses = [peer.address for peer in peers if peer.started]
            if self.is_periodic and attempt == 1:
                self._restore_accounts(addresses, peers, shared)
            state = observe_until_stable(self.cluster, addresses, primary_change, shared.published)
            facts = Facts(
                peers=peers,
                shared=shared,
                cluster=state.without(failed),
                applications=applications,
                client_relations=client_relations,
                settings=self.settings,
                planned_units=self.planned_units,
                has_certificates=self.has_certificates,
                is_periodic=self.is_periodic,
                operator_cas=operator_cas,
            )
            decided = plan(facts, lambda: secrets.token_hex(32))
            try:
                apply_plan(decided, facts, self.cluster, self.provider, self.peers)
            except NodeError as error:
                # It counts as absent from now on, so that it holds up nothing but new accounts.
                logger.warning("a server fails: %s", error)
                failed.add(error.address)
                if attempt == _ATTEMPTS:
                    unfinished = f"a server fails: {error.address}"
                    return LeaderRound(facts, decided, is_done=False, unfinished=unfinished)
            else:
                unfinished = self._permit_restart(facts, decided.shared)
                return LeaderRound(facts, decided, is_done=True, unfinished=unfinished)
        raise AssertionError("unreachable")

    def _client_relations(
        self, shared: SharedState, look_at: frozenset[int]
    ) -> tuple[ClientRelation, ...]:
        """The relations that this hook looks at, with what they ask for and were told."""
        relations = {relation.id: relation for relation in self.provider.relations}
        served = {account.relation_id for account in shared.accounts.values()}
        ids = (look_at | shared.pending | (relations.keys() - served)) & relations.keys()
        return tuple(self._client_relation(relations[i]) for i in sorted(ids))

    def _client_relation(self, relation: ops.Relation) -> ClientRelation:
        responses = self.provider.responses_of(relation)
        requests = self.provider.requests_of(relation)
        granted = {r.request_id: r for r in responses.responses if r.is_granted}
        if responses.wire != requests.wire:
            granted = {}
        certificates = {
            request.request_id: self.provider.certificate_of(request)
            for request in requests.requests
            if request.digest != request.options.digest
        }
        return ClientRelation(relation.id, requests, granted, relation.app.name, certificates)

    def _restore_accounts(
        self, addresses: Sequence[str], peers: Sequence[Peer], shared: SharedState
    ) -> None:
        """Put right what somebody has changed by hand in accounts, before anything is decided."""
        units = {peer.address: peer.unit for peer in peers}
        digests, turn = self.passwords.digests(), int(time.time() // _UPDATE_STATUS_INTERVAL)
        state = self.cluster.observe(addresses)
        for address, server in state.servers.items():
            rules = account_rules(shared.accounts.values(), digests, server.version)
            for on_sentinel in (False, True):
                connection = self.cluster.node(address, on_sentinel=on_sentinel)
                name = f"{'Sentinel' if on_sentinel else 'server'} of {units[address]}"
                _restore_accounts(connection, rules[on_sentinel], turn, name)

    def _permit_restart(self, facts: Facts, shared: SharedState) -> str:
        """Let the next unit restart its servers that needs to, one at a time.

        Returns:
            Which unit has to wait, because a switchover failed; empty if none has.
        """
        waits = ""
        unit = next_unit_to_restart(facts)
        if unit and must_switch_over(facts, unit):
            logger.info("%s is to restart its servers: switching over first", unit)
            try:
                switch_over(self.cluster, facts.cluster)
                await_agreement(self.cluster, [peer.address for peer in facts.peers])
            except SwitchoverError as error:
                logger.warning("%s may not restart yet: %s", unit, error)
                unit, waits = "", f"{unit} waits to restart"
        if unit != shared.restarting_unit:
            if unit:
                logger.info("rolling restart: %s may restart its servers", unit)
            else:
                logger.info("rolling restart: %s is done", shared.restarting_unit)
            self.peers.update_shared(replace(shared, restarting_unit=unit))
        return waits


def _restore_accounts(
    connection: Connection, rules: Mapping[str, Rule], turn: int, name: str
) -> None:
    try:
        altered, deleted = restore_accounts(connection, rules, turn)
    except ServerError as error:
        logger.warning("%s: its accounts cannot be compared: %s", name, error)
        return
    if altered:
        text = "%s: somebody has changed accounts; they are as they were: %s"
        logger.warning(text, name, ", ".join(altered))
    if deleted:
        text = "%s: deleted accounts that no relation asked for: %s"
        logger.warning(text, name, ", ".join(deleted))
