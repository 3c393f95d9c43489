"""From facts to actions: every decision of the leader, without an effect.

The order of the actions is safe to die in between any two: accounts exist on every server and
Sentinel before credentials are published, and are taken from the servers in the same hook in
which the answer to the requirer goes. What a hook that died has not done shows in the facts of
the next one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from valkey_client import AccessRequest, Endpoint, RelationStatus, Topology
from valkey_client import statuses as client_statuses
from valkey_client.databag import Requests
from valkey_client.messages import format_endpoints

from .accounts import Account, Listed, digest, rules_digest
from .cluster import ClusterFacts, ServerFacts
from .node import PORT, SENTINEL_PORT, majority
from .peers import Peer, Shared
from .settings import Settings

PROMOTABLE = "100"
MAX_LAG = "3"


@dataclass(frozen=True)
class Asked:
    """A client relation that was looked at.

    Attributes:
        relation_id: Its id.
        requests: What the requirer asks for.
        granted: The request ids that were granted, with the prefix of each.
    """

    relation_id: int
    requests: Requests
    granted: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Facts:
    """Everything that the leader's decisions rest on.

    Attributes:
        peers: The units of the application.
        shared: What the leader has told them.
        cluster: What the servers and Sentinels say.
        relation_ids: The client relations that exist.
        asked: Those of them that were looked at.
        settings: The charm's configuration.
        planned: How many units the application is to have.
    """

    peers: tuple[Peer, ...]
    shared: Shared
    cluster: ClusterFacts
    relation_ids: frozenset[int] = frozenset()
    asked: tuple[Asked, ...] = ()
    settings: Settings = field(default_factory=Settings)
    planned: int = 0


@dataclass(frozen=True)
class SetAccounts:
    """Create or replace accounts on one server or Sentinel."""

    address: str
    accounts: tuple[Account, ...]
    on_sentinel: bool = False


@dataclass(frozen=True)
class DropAccounts:
    """Delete accounts on one server or Sentinel, with their connections."""

    address: str
    names: tuple[str, ...]
    on_sentinel: bool = False


@dataclass(frozen=True)
class ConfigureServer:
    """Change a setting of a server."""

    address: str
    name: str
    value: str


@dataclass(frozen=True)
class ConfigureSentinel:
    """Change a setting of a Sentinel."""

    address: str
    name: str
    value: str


@dataclass(frozen=True)
class ResetSentinel:
    """Let a Sentinel forget units that are gone."""

    address: str


@dataclass(frozen=True)
class Grant:
    """Publish an account to its requirer."""

    request: AccessRequest
    account: Account
    password: str = field(repr=False)
    topology: Topology = field(default_factory=Topology)


@dataclass(frozen=True)
class Refuse:
    """Tell a requirer why it is not served."""

    request: AccessRequest
    status: RelationStatus


@dataclass(frozen=True)
class Withdraw:
    """Take back what was published for requests that are gone."""

    relation_id: int
    request_ids: tuple[str, ...]


@dataclass(frozen=True)
class UpdateTopology:
    """Tell every requirer where the service is now."""

    topology: Topology


@dataclass(frozen=True)
class Share:
    """Tell the other units."""

    shared: Shared


Action = (
    SetAccounts
    | DropAccounts
    | ConfigureServer
    | ConfigureSentinel
    | ResetSentinel
    | Grant
    | Refuse
    | Withdraw
    | UpdateTopology
    | Share
)


def plan(facts: Facts, new_password: Callable[[], str]) -> list[Action]:
    """What the leader has to do.

    Args:
        facts: The state of everything.
        new_password: Makes a password for a new account.
    """
    released = _released(facts)
    grants, refusals = _answers(facts, new_password)
    kept = {n: a for n, a in facts.shared.accounts.items() if n not in released}
    wanted = kept | {grant.account.name: grant.account for grant in grants}
    topology = topology_of(facts)
    text = topology_text(topology) if topology else facts.shared.published
    actions: list[Action] = [*_account_changes(facts, wanted), *_settings(facts)]
    actions += _forgotten(facts)
    actions += _account_removals(facts, wanted)
    actions += _withdrawals(facts, released)
    actions += grants
    actions += refusals
    if topology and text != facts.shared.published and facts.shared.published:
        actions.append(UpdateTopology(topology))
    waiting = {r.request.relation_id for r in refusals if r.status.code == _NOT_READY}
    looked_at = {asked.relation_id for asked in facts.asked}
    pending = (facts.shared.pending - looked_at) & facts.relation_ids | waiting
    shared = replace(
        facts.shared,
        accounts=wanted,
        pending=frozenset(pending),
        published=text,
        first_primary=facts.cluster.primary or facts.shared.first_primary,
        rules=facts.shared.rules if absent(facts) else rules_digest(),
    )
    if shared != facts.shared:
        actions.append(Share(shared))
    return actions


_NOT_READY = client_statuses.NOT_READY


def absent(facts: Facts) -> list[str]:
    """Units that have started and whose server or Sentinel does not answer."""
    there = facts.cluster.servers.keys() & facts.cluster.sentinels.keys()
    return [peer.unit for peer in facts.peers if peer.started and peer.address not in there]


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


def _answers(facts: Facts, new_password: Callable[[], str]) -> tuple[list[Grant], list[Refuse]]:
    """What to answer to the requests that are open."""
    topology = topology_of(facts)
    grants: list[Grant] = []
    refusals: list[Refuse] = []
    for asked in facts.asked:
        for request in asked.requests.requests:
            account = facts.shared.accounts.get(request.username)
            prefix = str(request.prefix)
            is_granted = asked.granted.get(request.request_id) == prefix
            if account and account.prefix == prefix and is_granted:
                continue
            if reason := _must_wait(facts):
                refusals.append(Refuse(request, client_statuses.not_ready(reason)))
                continue
            password = new_password()
            made = Account(
                name=request.username,
                sha256=digest(password),
                prefix=prefix,
                relation_id=request.relation_id,
                request_id=request.request_id,
            )
            grants.append(Grant(request, made, password, topology or Topology()))
    return grants, refusals


def _must_wait(facts: Facts) -> str:
    """Why no account can be given now, empty if it can.

    An account that a server lacks is worth nothing there, and a server that hangs may come back
    and be promoted, so all of them must be there.
    """
    if topology_of(facts) is None:
        return "the Valkey cluster has no primary yet"
    if units := absent(facts):
        return f"{', '.join(units)} of Valkey must answer before new accounts are given"
    return ""


def _missing(
    wanted: Mapping[str, Account], present: Mapping[str, Listed], *, patterns: bool
) -> tuple[Account, ...]:
    """Accounts that a server lacks or has otherwise than it should."""
    found: list[Account] = []
    for name, account in sorted(wanted.items()):
        listed = present.get(name)
        if (
            listed is None
            or account.sha256 not in listed.hashes
            or (patterns and listed.patterns != frozenset(account.patterns))
        ):
            found.append(account)
    return tuple(found)


def _replicas_first(facts: Facts) -> list[ServerFacts]:
    return sorted(facts.cluster.servers.values(), key=lambda s: (s.role == "master", s.address))


def _account_changes(facts: Facts, wanted: Mapping[str, Account]) -> Iterable[Action]:
    if facts.shared.rules != rules_digest():
        yield from _account_renewal(facts, wanted)
        return
    for server in _replicas_first(facts):
        if missing := _missing(wanted, server.accounts, patterns=True):
            yield SetAccounts(server.address, missing)
    for sentinel in facts.cluster.sentinels.values():
        if missing := _missing(wanted, sentinel.accounts, patterns=False):
            yield SetAccounts(sentinel.address, missing, on_sentinel=True)


def _account_renewal(facts: Facts, wanted: Mapping[str, Account]) -> Iterable[Action]:
    """Every account anew, because another release of this charm allows something else."""
    everybody = tuple(account for _, account in sorted(wanted.items()))
    if everybody:
        yield from (SetAccounts(server.address, everybody) for server in _replicas_first(facts))
        for address in facts.cluster.sentinels:
            yield SetAccounts(address, everybody, on_sentinel=True)


def _forgotten(facts: Facts) -> Iterable[Action]:
    """Sentinels never forget a unit that was removed, and count its vote as missing.

    They are reset once everybody else is there, or a failover could find nobody.
    """
    others = len(facts.peers) - 1
    # A leader that has just been elected meets its peers one after the other.
    knows_all = len(facts.peers) == facts.planned and all(peer.started for peer in facts.peers)
    if not knows_all or absent(facts) or not facts.cluster.primary:
        return
    for sentinel in facts.cluster.sentinels.values():
        if sentinel.others > others or sentinel.replicas > others:
            yield ResetSentinel(sentinel.address)


def _account_removals(facts: Facts, wanted: Mapping[str, Account]) -> Iterable[Action]:
    for server in _replicas_first(facts):
        if extra := tuple(sorted(server.accounts.keys() - wanted.keys())):
            yield DropAccounts(server.address, extra)
    for sentinel in facts.cluster.sentinels.values():
        if extra := tuple(sorted(sentinel.accounts.keys() - wanted.keys())):
            yield DropAccounts(sentinel.address, extra, on_sentinel=True)


def _settings(facts: Facts) -> Iterable[Action]:
    """What servers and Sentinels must be set to, now that every server has its accounts."""
    # With two nodes, the loss of the one replica would stop all writes. A node that does not
    # answer still counts: it is against its loss that this protects.
    enough = sum(peer.started for peer in facts.peers) >= 3
    for server in facts.cluster.servers.values():
        wanted = {"min-replicas-to-write": "1" if enough else "0", "min-replicas-max-lag": MAX_LAG}
        if server.in_sync:
            wanted["replica-priority"] = PROMOTABLE
        for name, value in wanted.items():
            if server.settings.get(name) != value:
                yield ConfigureServer(server.address, name, value)
    quorum = majority(len(facts.peers))
    for sentinel in facts.cluster.sentinels.values():
        pairs = (
            ("quorum", sentinel.quorum, quorum),
            ("down-after-milliseconds", sentinel.down_after, facts.settings.down_after * 1000),
            (
                "failover-timeout",
                sentinel.failover_timeout,
                facts.settings.failover_timeout * 1000,
            ),
        )
        for name, present, value in pairs:
            if present != value:
                yield ConfigureSentinel(sentinel.address, name, str(value))


def _withdrawals(facts: Facts, released: frozenset[str]) -> Iterable[Action]:
    gone: dict[int, list[str]] = {}
    for name in sorted(released):
        account = facts.shared.accounts[name]
        gone.setdefault(account.relation_id, []).append(account.request_id)
    for relation_id, request_ids in sorted(gone.items()):
        yield Withdraw(relation_id, tuple(request_ids))


def topology_of(facts: Facts) -> Topology | None:
    """What clients are to be told, None while there is no primary to name."""
    cluster = facts.cluster
    primary = cluster.servers.get(cluster.primary)
    if primary is None:
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
