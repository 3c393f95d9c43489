"""A cluster in which nothing is to be done, from which tests of decisions depart."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from valkey_client import AccessRequest, KeyPrefix, RequestOptions
from valkey_client.databag import Requests
from valkey_client.messages import Response
from valkey_operator.decide.plan import Plan, current_topology, plan
from valkey_operator.model.cluster_state import ClusterState, SentinelState, ServerState
from valkey_operator.model.facts import ClientRelation, Facts
from valkey_operator.model.peer_data import Peer, SharedState
from valkey_operator.model.published_topology import PublishedTopology
from valkey_operator.rules.accounts import Account, Version, password_digest
from valkey_operator.rules.accounts_digest import accounts_digest

IPS = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
VERSION: Version = (9, 1, 2)

T = TypeVar("T")


# Facts.


def make_cluster(
    primary: str = IPS[0],
    members: tuple[str, ...] = IPS,
    accounts: tuple[Account, ...] = (),
    version: Version = VERSION,
    **settings: str,
) -> ClusterState:
    """Three units whose servers and Sentinels are set as they should be."""
    account_fields: dict[str, Any] = {
        "accounts": frozenset(account.name for account in accounts),
        "accounts_digests": (accounts_digest(accounts, version),),
    }
    server_settings = {
        "min-replicas-to-write": "1" if len(members) > 2 else "0",
        "min-replicas-max-lag": "3",
        "replica-priority": "100",
        "notify-keyspace-events": "",
        "databases": "20",
        **{name.replace("_", "-"): value for name, value in settings.items()},
    }
    servers = {
        ip: ServerState(
            address=ip,
            role="master" if ip == primary else "slave",
            primary="" if ip == primary else primary,
            settings=server_settings,
            version=version,
            **account_fields,
        )
        for ip in members
    }
    sentinels = {
        ip: SentinelState(
            address=ip,
            primary=primary,
            quorum=len(members) // 2 + 1,
            down_after=5000,
            failover_timeout=15000,
            others=len(members) - 1,
            replicas=len(members) - 1,
            **account_fields,
        )
        for ip in members
    }
    return ClusterState(servers, sentinels, len(members))


def make_facts(
    *accounts: Account,
    relations: Iterable[ClientRelation] = (),
    related: Iterable[int] = (),
    cluster: ClusterState | None = None,
    ips: tuple[str, ...] = IPS,
    **options: Any,
) -> Facts:
    """A cluster that has these accounts, all of them granted, and whose clients know it.

    Args:
        accounts: The accounts.
        relations: The client relations that the hook looks at.
        related: Ids of further relations; those of accounts and relations count anyway.
        cluster: What servers and Sentinels say.
        ips: The addresses of the units.
        options: Further fields of the facts.
    """
    relations = tuple(relations)
    peers = tuple(Peer(f"v/{n}", ip, generation=1) for n, ip in enumerate(ips))
    ids = {*related, *(a.relation_id for a in accounts), *(r.relation_id for r in relations)}
    facts = Facts(
        peers,
        SharedState("secret:x", IPS[0], accounts={a.name: a for a in accounts}),
        cluster or make_cluster(accounts=accounts),
        applications={n: f"app{n}" for n in sorted(ids)},
        client_relations=relations,
        **{"planned_units": len(peers), **options},
    )
    topology = current_topology(facts, facts.shared.tls)
    return with_shared(facts, published=PublishedTopology.of(topology) if topology else None)


def with_shared(facts: Facts, **changes: Any) -> Facts:
    """The same with other fields of what the leader wrote last."""
    return replace(facts, shared=replace(facts.shared, **changes))


def with_server(facts: Facts, ip: str, **changes: Any) -> Facts:
    """The same with one server that says something else."""
    server = replace(facts.cluster.servers[ip], **changes)
    servers = {**facts.cluster.servers, ip: server}
    return replace(facts, cluster=replace(facts.cluster, servers=servers))


def without_units(facts: Facts, *ips: str) -> Facts:
    """The same with units that do not answer."""
    return replace(facts, cluster=facts.cluster.without(ips))


def request(
    prefix: str = "a:*", request_id: str = "r", relation: int = 1, **options: Any
) -> AccessRequest:
    return AccessRequest(
        KeyPrefix.parse(prefix), request_id, "s", relation, options=RequestOptions(**options)
    )


def client_relation(*requests: AccessRequest, relation: int = 1, **options: Any) -> ClientRelation:
    return ClientRelation(relation, Requests("v1", requests), **options)


def account(
    name: str = "relation-1-r", prefix: str = "a:*", relation: int = 1, **options: Any
) -> Account:
    return Account(
        name, password_digest("p"), prefix, relation, name.rpartition("-")[2], **options
    )


def granted(
    prefix: str = "a:*", options_digest: str = "", request_id: str = "r"
) -> dict[str, Response]:
    """The response that a request was granted with before, by the request's id."""
    response = Response(prefix, request_id, secret_user="secret:u", request_digest=options_digest)
    return {request_id: response}


# Plans.


def make_plan(facts: Facts) -> Plan:
    """What the leader decides; new passwords are numbered."""
    numbers = itertools.count()
    return plan(facts, lambda: f"password-{next(numbers)}")


def assert_nothing_to_do(facts: Facts) -> None:
    assert make_plan(facts) == Plan((), (), None, facts.shared)


def of_kind(kind: type[T], items: Iterable[object]) -> list[T]:
    """The steps or answers of one kind."""
    return [item for item in items if isinstance(item, kind)]


def only(kind: type[T], items: Iterable[object]) -> T:
    """The one step or answer of a kind."""
    (item,) = of_kind(kind, items)
    return item


def on_every_node(kind: type[Any]) -> list[type[Any]]:
    """A step of this kind for three servers and three Sentinels."""
    return [kind] * 6
