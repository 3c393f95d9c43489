"""A cluster at rest, from which tests of the plan depart."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from valkey_client import AccessRequest, KeyPrefix, RequestOptions
from valkey_client.databag import Requests
from valkey_client.messages import Response
from valkey_operator.accounts import Account, Version, digest
from valkey_operator.facts import Asked, Facts
from valkey_operator.marker import marker
from valkey_operator.observed import ClusterFacts, SentinelFacts, ServerFacts
from valkey_operator.peers import Peer, Shared
from valkey_operator.plan import plan, topology_of, topology_text

IPS = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
VERSION: Version = (9, 1, 2)


def cluster(
    primary: str = IPS[0],
    members: tuple[str, ...] = IPS,
    accounts: tuple[Account, ...] = (),
    version: Version = VERSION,
    **settings: str,
) -> ClusterFacts:
    """Three nodes at rest, set as they should be."""
    found: dict[str, Any] = {
        "accounts": frozenset(account.name for account in accounts),
        "markers": (marker(accounts, version),),
    }
    rest = {"min-replicas-to-write": "1" if len(members) > 2 else "0", "min-replicas-max-lag": "3"}
    rest |= {"replica-priority": "100", "notify-keyspace-events": "", "databases": "20"}
    rest |= {name.replace("_", "-"): value for name, value in settings.items()}
    servers = {
        ip: ServerFacts(
            address=ip,
            role="master" if ip == primary else "slave",
            primary="" if ip == primary else primary,
            settings=rest,
            version=version,
            **found,
        )
        for ip in members
    }
    sentinels = {
        ip: SentinelFacts(
            address=ip,
            primary=primary,
            quorum=len(members) // 2 + 1,
            down_after=5000,
            failover_timeout=15000,
            others=len(members) - 1,
            replicas=len(members) - 1,
            **found,
        )
        for ip in members
    }
    return ClusterFacts(servers, sentinels, len(members))


def facts(**options: Any) -> Facts:
    found = options.pop("cluster", None) or cluster()
    peers = tuple(Peer(f"v/{n}", ip, started=True) for n, ip in enumerate(options.pop("ips", IPS)))
    options.setdefault("planned", len(peers))
    made = Facts(peers, Shared("secret:x", IPS[0]), found, **options)
    topology = topology_of(made)
    published = topology_text(topology) if topology else ""
    return replace(made, shared=replace(made.shared, published=published))


def serving(*accounts: Account, asked: tuple[Asked, ...] = (), **options: Any) -> Facts:
    """A cluster at rest that has these accounts, all of them granted."""
    made = facts(
        cluster=options.pop("cluster", None) or cluster(accounts=accounts),
        relation_ids=frozenset(
            {a.relation_id for a in accounts} | {one.relation_id for one in asked}
        ),
        asked=asked,
        **options,
    )
    return with_accounts(made, *accounts)


def on_every_node(kind: type[Any]) -> list[type[Any]]:
    """What happens on three servers and three Sentinels."""
    return [kind] * 6


def request(
    prefix: str = "a:*", request_id: str = "r", relation: int = 1, **options: Any
) -> AccessRequest:
    wanted = RequestOptions(**options)
    return AccessRequest(KeyPrefix.parse(prefix), request_id, "s", relation, options=wanted)


def asked(*requests: AccessRequest, relation: int = 1, **options: Any) -> Asked:
    return Asked(relation, Requests("v1", requests), **options)


def with_accounts(made: Facts, *accounts: Account) -> Facts:
    return replace(made, shared=replace(made.shared, accounts={a.name: a for a in accounts}))


def account(
    name: str = "relation-1-r", prefix: str = "a:*", relation: int = 1, **options: Any
) -> Account:
    return Account(name, digest("p"), prefix, relation, name.rpartition("-")[2], **options)


def granted(prefix: str = "a:*", asked: str = "", request_id: str = "r") -> dict[str, Response]:
    return {request_id: Response(prefix, request_id, secret_user="secret:u", request_digest=asked)}


def run(made: Facts) -> list[Any]:
    numbers = itertools.count()
    return plan(made, lambda: f"password-{next(numbers)}")
