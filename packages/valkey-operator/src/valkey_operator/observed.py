"""What servers and Sentinels say; :class:`~.cluster.Cluster` asks them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .accounts import Version
from .primaries import Named, agreed, is_certain


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """What a server or Sentinel says of its accounts.

    Attributes:
        address: Where it was asked.
        accounts: The names of the client accounts that it has.
        markers: What it has noted of the accounts that it was given.
        tls: Whether it speaks TLS, and nothing else.
    """

    address: str
    accounts: frozenset[str] = frozenset()
    markers: tuple[str, ...] = ()
    tls: bool = False


@dataclass(frozen=True, kw_only=True)
class ServerFacts(NodeFacts):
    """What a server says of itself.

    Attributes:
        role: ``master`` or ``slave``, as the server puts it.
        primary: Whom it follows, if it is a replica.
        in_sync: Whether a replica's link is up; true for a primary.
        settings: Some of its configuration.
        version: Its version.
    """

    role: str
    primary: str = ""
    in_sync: bool = True
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    version: Version = (0, 0, 0)

    def in_sync_with(self, primary: str) -> bool:
        """Whether it is a replica of that primary with a working link."""
        return self.primary == primary and self.in_sync


@dataclass(frozen=True, kw_only=True)
class SentinelFacts(NodeFacts):
    """What a Sentinel says.

    Attributes:
        primary: Whom it takes for the primary.
        epoch: The number of the failover that made it primary.
        quorum: How many must agree.
        down_after: Milliseconds.
        failover_timeout: Milliseconds.
        others: How many other Sentinels it knows, those that are gone for good included.
        replicas: How many replicas it knows.
    """

    primary: str
    quorum: int
    down_after: int
    failover_timeout: int
    epoch: int = 0
    others: int = 0
    replicas: int = 0


@dataclass(frozen=True)
class ClusterFacts:
    """What all of them say; whoever did not answer is missing.

    Attributes:
        servers: The servers that answered, by address.
        sentinels: The Sentinels that answered.
        asked: How many of each were asked.
    """

    servers: Mapping[str, ServerFacts] = field(default_factory=dict[str, ServerFacts])
    sentinels: Mapping[str, SentinelFacts] = field(default_factory=dict[str, SentinelFacts])
    asked: int = 0

    def without(self, addresses: Collection[str]) -> ClusterFacts:
        """The same, as if some had not answered."""
        return ClusterFacts(
            {a: server for a, server in self.servers.items() if a not in addresses},
            {a: sentinel for a, sentinel in self.sentinels.items() if a not in addresses},
            self.asked,
        )

    @property
    def oldest(self) -> Version:
        """The oldest version among the servers."""
        return min((server.version for server in self.servers.values()), default=(0, 0, 0))

    @property
    def databases(self) -> int:
        """How many databases every server has."""
        return min((int(s.settings["databases"]) for s in self.servers.values()), default=0)

    @property
    def primary(self) -> str:
        """The address that the latest failover made primary and that says itself that it is.

        Empty while there is none, as in a failover, and while so few Sentinels answer that the
        others could have agreed on another one: a unit that is cut off with the old primary must
        not believe it.
        """
        named = [Named(sentinel.primary, sentinel.epoch) for sentinel in self.sentinels.values()]
        address = agreed(named)
        server = self.servers.get(address)
        is_known = is_certain(len(named), max(self.asked, len(named)))
        return address if is_known and server and server.role == "master" else ""
