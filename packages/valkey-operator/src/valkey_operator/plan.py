"""From facts to steps: what the leader does, decided without an effect.

The order of the steps is safe to die in between any two: accounts exist on every server and
Sentinel before credentials are published, and are taken from the servers in the same hook in
which the answer to the requirer goes. What a hook that died has not done shows in the facts of
the next one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from valkey_client import Endpoint, Topology, statuses
from valkey_client.messages import format_endpoints

from .accounts import Account, Version
from .adjust import adjustments
from .answers import answer
from .configuration import PORT, SENTINEL_PORT
from .facts import Facts
from .marker import marker
from .observed import NodeFacts, ServerFacts
from .overlap import overlapping
from .primaries import majority
from .steps import (
    DropAccounts,
    Grant,
    Inform,
    MarkAccounts,
    Refuse,
    ResetSentinel,
    SetAccounts,
    Share,
    Step,
    UpdateTopology,
    Withdraw,
)
from .tls import leader, proofs


def plan(facts: Facts, new_password: Callable[[], str]) -> list[Step]:
    """What the leader has to do.

    Args:
        facts: The state of everything.
        new_password: Makes a password for a new account.
    """
    released = _released(facts)
    kept = {n: a for n, a in facts.shared.accounts.items() if n not in released}
    topology = topology_of(facts)
    word = leader.decide(facts)
    judgement = proofs.judge(facts, word.cas)
    answers = answer(facts, kept, topology, new_password, judgement.problems)
    # A request that is refused after it named another prefix loses what it had before.
    refused = {refusal.request.username for refusal in answers.refusals}
    wanted = {name: account for name, account in kept.items() if name not in refused}
    wanted |= {grant.account.name: grant.account for grant in answers.grants}
    text = topology_text(topology) if topology else facts.shared.published
    word = replace(word, proofs=proofs.decide(facts, judgement, wanted.keys(), word.cas))
    steps: list[Step] = [*_account_changes(facts, wanted)]
    if facts.settings:
        steps += adjustments(facts, facts.settings, wanted, word)
    steps += leader.switches(facts, word)
    steps += _forgotten(facts)
    steps += _account_removals(facts, wanted)
    steps += _marks(facts, wanted)
    steps += _withdrawals(facts, released)
    steps += _announcements(facts, wanted, answers.grants)
    steps += answers.refusals
    if topology and text != facts.shared.published and facts.shared.published:
        steps.append(UpdateTopology(topology))
    looked_at = {asked.relation_id for asked in facts.asked}
    pending = (facts.shared.pending - looked_at) & facts.relation_ids | answers.waiting
    shared = replace(
        facts.shared,
        accounts=wanted,
        pending=frozenset(pending),
        published=text,
        first_primary=facts.cluster.primary or facts.shared.first_primary,
        epoch=_epoch(facts),
        databases=answers.databases,
        tls=word,
    )
    if shared != facts.shared:
        steps.append(Share(shared))
    return steps


def _epoch(facts: Facts) -> int:
    """The number under which the present primary is known, to tell it from those of before."""
    cluster = facts.cluster
    known = [s.epoch for s in cluster.sentinels.values() if s.primary == cluster.primary]
    return max(known, default=facts.shared.epoch)


def not_isolated(steps: Iterable[Step]) -> list[int]:
    """The relations that are refused because isolation is strict."""
    found = {
        step.request.relation_id
        for step in steps
        if isinstance(step, Refuse) and step.status.code == statuses.NOT_ISOLATED
    }
    return sorted(found)


def _released(facts: Facts) -> frozenset[str]:
    """Accounts whose relation or request is gone."""
    asked = {a.relation_id: a.requests for a in facts.asked}
    gone: set[str] = set()
    for name, account in facts.shared.accounts.items():
        if account.relation_id not in facts.relation_ids:
            gone.add(name)
            continue
        requests = asked.get(account.relation_id)
        if requests is None or not requests.is_complete:
            continue
        if account.name not in {request.username for request in requests.requests}:
            gone.add(name)
    return frozenset(gone)


def _nodes(facts: Facts) -> Iterator[tuple[NodeFacts, bool]]:
    """Every server, replicas before the primary, and then every Sentinel."""
    for server in _replicas_first(facts):
        yield server, False
    for sentinel in facts.cluster.sentinels.values():
        yield sentinel, True


def _replicas_first(facts: Facts) -> list[ServerFacts]:
    return sorted(facts.cluster.servers.values(), key=lambda s: (s.role == "master", s.address))


def _account_changes(facts: Facts, wanted: Mapping[str, Account]) -> Iterable[Step]:
    """Accounts that a server lacks or has otherwise than it should.

    One that has not noted the accounts of before was away, or was started by another release of
    this charm: it is given everything.
    """
    before = _markers(facts.shared.accounts)
    changed = {n for n, account in wanted.items() if facts.shared.accounts.get(n) != account}
    for node, on_sentinel in _nodes(facts):
        is_up_to_date = node.markers == (before(facts.version_of(node.address)),)
        names = changed | (wanted.keys() - node.accounts) if is_up_to_date else wanted.keys()
        if names:
            accounts = tuple(wanted[name] for name in sorted(names))
            yield SetAccounts(node.address, accounts, on_sentinel)


def _forgotten(facts: Facts) -> Iterable[Step]:
    """Sentinels never forget a unit that was removed, and count its vote as missing.

    They are reset once everybody else is there, or a failover could find nobody.
    """
    others = len(facts.peers) - 1
    # A leader that has just been elected meets its peers one after the other.
    knows_all = len(facts.peers) == facts.planned and all(peer.started for peer in facts.peers)
    if not knows_all or facts.absent or not facts.cluster.primary:
        return
    for sentinel in facts.cluster.sentinels.values():
        if sentinel.others > others or sentinel.replicas > others:
            yield ResetSentinel(sentinel.address, others)


def _account_removals(facts: Facts, wanted: Mapping[str, Account]) -> Iterable[Step]:
    for node, on_sentinel in _nodes(facts):
        if extra := tuple(sorted(node.accounts - wanted.keys())):
            yield DropAccounts(node.address, extra, on_sentinel)


def _marks(facts: Facts, wanted: Mapping[str, Account]) -> Iterable[Step]:
    """What a server was given is noted on it when it has all of it."""
    markers = _markers(wanted)
    for node, on_sentinel in _nodes(facts):
        after = markers(facts.version_of(node.address))
        if node.markers != (after,):
            old = tuple(found for found in node.markers if found != after)
            yield MarkAccounts(node.address, after, old, on_sentinel)


def _markers(accounts: Mapping[str, Account]) -> Callable[[Version], str]:
    """The note that stands for these accounts on a server of a version."""

    @cache
    def of_version(version: Version) -> str:
        return marker(accounts.values(), version)

    return of_version


def _announcements(
    facts: Facts, wanted: Mapping[str, Account], grants: Sequence[Grant]
) -> Iterable[Step]:
    """The grants, and the word to every requirer that begins or ceases to share names."""
    present = facts.shared.accounts
    after = overlapping(wanted.values()) if grants or wanted != present else frozenset[str]()
    before = overlapping(present.values()) if wanted != present else after
    granted: set[str] = set()
    for grant in grants:
        account = grant.account
        granted.add(account.name)
        notice = (statuses.shared(account.prefix),) if account.name in after else ()
        yield replace(grant, statuses=(*notice, *grant.statuses))
    for name in sorted((before ^ after) & wanted.keys() - granted):
        account = wanted[name]
        status = statuses.shared(account.prefix) if name in after else None
        yield Inform(account.relation_id, account.request_id, statuses.SHARED, status)


def _withdrawals(facts: Facts, released: frozenset[str]) -> Iterable[Step]:
    gone: dict[int, list[str]] = {}
    for name in sorted(released):
        account = facts.shared.accounts[name]
        gone.setdefault(account.relation_id, []).append(account.request_id)
    for relation_id, request_ids in sorted(gone.items()):
        yield Withdraw(relation_id, tuple(request_ids))


def topology_of(facts: Facts) -> Topology | None:
    """What clients are to be told, None while there is no primary to name.

    None also while servers change to TLS or back: clients are told when all have, or, by the net,
    of those that have.
    """
    word = leader.decide(facts)
    cluster, late = facts.cluster, leader.late(facts, word)
    if late and not facts.is_net:
        return None
    primary = cluster.servers.get(cluster.primary)
    if primary is None or primary.address in late:
        return None
    cluster = cluster.without(late)
    if late and len(cluster.sentinels) < majority(len(facts.peers)):
        return None
    replicas = [
        server.address
        for server in cluster.servers.values()
        if server.in_sync_with(primary.address)
    ]
    return Topology(
        endpoints=(Endpoint(primary.address, PORT),),
        read_only_endpoints=tuple(Endpoint(address, PORT) for address in sorted(replicas)),
        sentinel_endpoints=tuple(
            Endpoint(address, SENTINEL_PORT) for address in sorted(cluster.sentinels)
        ),
        version=".".join(map(str, primary.version)),
        tls=word.on,
        tls_ca=word.bundle if word.on else "",
    )


def topology_text(topology: Topology) -> str:
    """A topology as text, to notice that clients need to be told of a change."""
    return json.dumps(
        [
            format_endpoints(topology.endpoints),
            format_endpoints(topology.read_only_endpoints),
            format_endpoints(topology.sentinel_endpoints),
            topology.version,
            topology.tls_digest,
        ]
    )
