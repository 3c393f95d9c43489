"""From facts to a plan: what the leader does, decided without any effect.

The order is safe to die in between any two steps: accounts exist on every server and Sentinel
before credentials are published, and are dropped from the servers in the hook that answers the
requirer. What a hook that died has not done shows in the facts of the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from valkey_client import Endpoint, Grant, Notice, Refusal, Topology, Withdrawal, statuses

from ..model.cluster_state import NodeState
from ..model.facts import Facts
from ..model.peer_data import SharedState
from ..model.published_topology import PublishedTopology
from ..model.steps import (
    DropAccounts,
    RecordAccountsDigest,
    ResetSentinel,
    SetAccounts,
    Step,
)
from ..model.tls_policy import TlsPolicy
from ..rules.accounts import Account, Version
from ..rules.accounts_digest import accounts_digest
from ..rules.config_files import PORT, SENTINEL_PORT
from ..rules.epochs import majority
from ..rules.overlap import overlapping
from . import client_cas, tls
from .answers import answer_requests
from .runtime_config import runtime_changes

Answer = Grant | Refusal | Notice | Withdrawal


@dataclass(frozen=True)
class Plan:
    """What the leader does in one round, in this order.

    Attributes:
        steps: Changes to servers and Sentinels.
        answers: What requirers are told about their requests.
        topology: What every client is told of the service now; None if they know it.
        shared: What the units are told.
        not_isolated: The relations that are refused because of ``isolation=strict``.
    """

    steps: tuple[Step, ...]
    answers: tuple[Answer, ...]
    topology: Topology | None
    shared: SharedState
    not_isolated: tuple[int, ...] = ()


def plan(facts: Facts, new_password: Callable[[], str]) -> Plan:
    """Decide what the leader has to do.

    Args:
        facts: The state of everything.
        new_password: Makes a password for a new account.
    """
    policy = tls.decide_policy(facts)
    topology = current_topology(facts, policy)
    released = _released_accounts(facts)
    kept = {n: a for n, a in facts.shared.accounts.items() if n not in released}
    review = client_cas.review_certificates(facts, policy.cas)
    answers = answer_requests(facts, kept, topology, new_password, review.problems)
    # A request that is refused after its prefix changed loses what it had.
    refused = {refusal.request.username for refusal in answers.refusals}
    accounts = {name: account for name, account in kept.items() if name not in refused}
    accounts |= answers.accounts
    policy = replace(
        policy,
        client_cas_by_source=client_cas.decide_trusted_cas(
            facts, review, accounts.keys(), policy.cas
        ),
    )
    published = PublishedTopology.of(topology) if topology else facts.shared.published
    shared = replace(
        facts.shared,
        accounts=accounts,
        pending=_pending_relations(facts, answers.waiting),
        published=published,
        first_primary=facts.cluster.primary or facts.shared.first_primary,
        epoch=facts.shared.epoch if facts.cluster.epoch is None else facts.cluster.epoch,
        databases=answers.databases,
        tls=policy,
    )
    is_news = facts.shared.published and published != facts.shared.published
    return Plan(
        steps=tuple(_steps(facts, accounts, policy)),
        answers=(
            *_withdrawals(facts, released),
            *_grants_and_notices(facts, accounts, answers.grants),
            *answers.refusals,
        ),
        topology=topology if is_news else None,
        shared=shared,
        not_isolated=tuple(
            sorted(
                {
                    refusal.request.relation_id
                    for refusal in answers.refusals
                    if refusal.status.code == statuses.NOT_ISOLATED
                }
            )
        ),
    )


def _steps(facts: Facts, accounts: Mapping[str, Account], policy: TlsPolicy) -> Iterator[Step]:
    """The changes to servers and Sentinels, in a safe order."""
    yield from _account_changes(facts, accounts)
    if facts.settings:
        yield from runtime_changes(facts, facts.settings, accounts, policy)
    yield from tls.tls_switches(facts, policy)
    yield from _sentinel_resets(facts)
    yield from _account_removals(facts, accounts)
    yield from _digest_records(facts, accounts)


def _pending_relations(facts: Facts, waiting: Iterable[int]) -> frozenset[int]:
    """The relations that a later hook must look at."""
    seen = {relation.relation_id for relation in facts.client_relations}
    return frozenset((facts.shared.pending - seen) & facts.applications.keys() | set(waiting))


def _released_accounts(facts: Facts) -> frozenset[str]:
    """Accounts whose relation or request no longer exists."""
    requests = {r.relation_id: r.requests for r in facts.client_relations}
    released: set[str] = set()
    for name, account in facts.shared.accounts.items():
        if account.relation_id not in facts.applications:
            released.add(name)
            continue
        present = requests.get(account.relation_id)
        if present is None or not present.is_complete:
            continue
        if account.name not in {request.username for request in present.requests}:
            released.add(name)
    return frozenset(released)


def _nodes(facts: Facts) -> Iterator[tuple[NodeState, bool]]:
    """Every server, the primary last, and then every Sentinel (True)."""
    for server in facts.cluster.replicas_first:
        yield server, False
    for sentinel in facts.cluster.sentinels.values():
        yield sentinel, True


def _account_changes(facts: Facts, accounts: Mapping[str, Account]) -> Iterable[SetAccounts]:
    """Accounts that a server lacks or that differ from what it should have.

    A server without the digest of the last accounts was away, or was started by another release
    of this charm: it is given every account.
    """
    last_digest = _digests(facts.shared.accounts)
    changed = {n for n, a in accounts.items() if facts.shared.accounts.get(n) != a}
    for node, on_sentinel in _nodes(facts):
        is_up_to_date = node.accounts_digests == (last_digest(facts.version_of(node.address)),)
        lacking = accounts.keys() - node.accounts
        names = changed | lacking if is_up_to_date else accounts.keys()
        if names:
            missing = tuple(accounts[name] for name in sorted(names))
            yield SetAccounts(node.address, missing, on_sentinel)


def _sentinel_resets(facts: Facts) -> Iterable[ResetSentinel]:
    """Sentinels never forget a removed unit, and count its vote as missing.

    They are reset only while every unit answers: a Sentinel that was reset knows nobody for a
    while, and a failover then could find no majority.
    """
    others = len(facts.peers) - 1
    # A leader that has just been elected hears of its peers one after the other.
    knows_all = len(facts.peers) == facts.planned_units and all(p.started for p in facts.peers)
    if not knows_all or facts.absent_units or not facts.cluster.primary:
        return
    for sentinel in facts.cluster.sentinels.values():
        if sentinel.others > others or sentinel.replicas > others:
            yield ResetSentinel(sentinel.address, others)


def _account_removals(facts: Facts, accounts: Mapping[str, Account]) -> Iterable[DropAccounts]:
    for node, on_sentinel in _nodes(facts):
        if extra := tuple(sorted(node.accounts - accounts.keys())):
            yield DropAccounts(node.address, extra, on_sentinel)


def _digest_records(
    facts: Facts, accounts: Mapping[str, Account]
) -> Iterable[RecordAccountsDigest]:
    """A server is marked with the digest of its accounts once it has them all."""
    digest_for = _digests(accounts)
    for node, on_sentinel in _nodes(facts):
        digest = digest_for(facts.version_of(node.address))
        if node.accounts_digests != (digest,):
            old = tuple(other for other in node.accounts_digests if other != digest)
            yield RecordAccountsDigest(node.address, digest, old, on_sentinel)


def _digests(accounts: Mapping[str, Account]) -> Callable[[Version], str]:
    """The digest of these accounts on a server of a version."""

    @cache
    def for_version(version: Version) -> str:
        return accounts_digest(accounts.values(), version)

    return for_version


def _grants_and_notices(
    facts: Facts, accounts: Mapping[str, Account], grants: Sequence[Grant]
) -> Iterable[Grant | Notice]:
    """The grants, and a notice to every requirer that begins or ceases to share keys."""
    present = facts.shared.accounts
    after = overlapping(accounts.values()) if grants or accounts != present else frozenset[str]()
    before = overlapping(present.values()) if accounts != present else after
    granted: set[str] = set()
    for grant in grants:
        name = grant.access.username
        granted.add(name)
        notices = (statuses.shared(grant.access.prefix),) if name in after else ()
        yield grant._replace(statuses=(*notices, *grant.statuses))
    for name in sorted((before ^ after) & accounts.keys() - granted):
        account = accounts[name]
        status = statuses.shared(account.prefix) if name in after else None
        yield Notice(account.relation_id, account.request_id, statuses.SHARED, status)


def _withdrawals(facts: Facts, released: frozenset[str]) -> Iterable[Withdrawal]:
    request_ids: dict[int, list[str]] = {}
    for name in sorted(released):
        account = facts.shared.accounts[name]
        request_ids.setdefault(account.relation_id, []).append(account.request_id)
    for relation_id, ids in sorted(request_ids.items()):
        yield Withdrawal(relation_id, tuple(ids))


def current_topology(facts: Facts, policy: TlsPolicy) -> Topology | None:
    """What clients are to be told, None while there is no primary to name.

    None also while servers change to TLS or back: clients are told when all have changed, or, by
    update-status, of those that have.
    """
    cluster, not_switched = facts.cluster, tls.not_switched(facts, policy)
    if not_switched and not facts.is_periodic:
        return None
    primary = cluster.servers.get(cluster.primary)
    if primary is None or primary.address in not_switched:
        return None
    cluster = cluster.without(not_switched)
    if not_switched and len(cluster.sentinels) < majority(len(facts.peers)):
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
        tls=policy.on,
        tls_ca=policy.bundle if policy.on else "",
    )
