"""What servers and Sentinels say; :class:`~valkey_operator.servers.cluster.Cluster` asks them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ..rules.accounts import Version
from ..rules.epochs import PrimaryClaim, agreed_primary, is_certain


@dataclass(frozen=True, kw_only=True)
class NodeState:
    """What a server or Sentinel says of its accounts.

    Attributes:
        address: Where it was asked.
        accounts: The names of the client accounts that it has.
        accounts_digests: The digests of the accounts that it was given.
        tls: Whether it speaks TLS, and nothing else.
    """

    address: str
    accounts: frozenset[str] = frozenset()
    accounts_digests: tuple[str, ...] = ()
    tls: bool = False


@dataclass(frozen=True, kw_only=True)
class ServerState(NodeState):
    """What a server says of itself.

    Attributes:
        role: ``master`` or ``slave``, as the server puts it.
        primary: The address of its primary, if it is a replica.
        in_sync: Whether a replica's link is up; true for a primary.
        synced_bytes: What a replica has received of a full sync that goes on; None if none does.
        cannot_write: Whether its last write to the append-only file failed, so that it refuses
            writes (``MISCONF``).
        used_memory: In bytes.
        uptime: Seconds since it started.
        settings: Part of its configuration.
        version: Its version.
    """

    role: str
    primary: str = ""
    in_sync: bool = True
    synced_bytes: int | None = None
    cannot_write: bool = False
    used_memory: int = 0
    uptime: int = 86_400
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    version: Version = (0, 0, 0)

    @property
    def is_primary(self) -> bool:
        """Whether it says that it is a primary."""
        return self.role == "master"

    def in_sync_with(self, primary: str) -> bool:
        """Whether it is a replica of that primary with a working link."""
        return self.primary == primary and self.in_sync


@dataclass(frozen=True, kw_only=True)
class SentinelState(NodeState):
    """What a Sentinel says.

    Attributes:
        primary: The address of the primary that it monitors.
        in_tilt: Whether it only watches, because its clock or machine stood still (``TILT``).
        epoch: The configuration epoch of the failover that made it primary.
        quorum: How many Sentinels must agree that it is down.
        down_after: Milliseconds.
        failover_timeout: Milliseconds.
        others: How many other Sentinels it knows, removed ones included.
        replicas: How many replicas it knows.
    """

    primary: str
    quorum: int
    down_after: int
    failover_timeout: int
    in_tilt: bool = False
    epoch: int = 0
    others: int = 0
    replicas: int = 0


@dataclass(frozen=True)
class ClusterState:
    """What all of them say; whoever did not answer is missing.

    Attributes:
        servers: The servers that answered, by address.
        sentinels: The Sentinels that answered, by address.
        units: How many units were asked.
        idle_sentinels: The addresses of Sentinels that answer and monitor nothing.
        full_servers: The addresses of servers all of whose connections clients hold, so that the
            charm cannot log in.
    """

    servers: Mapping[str, ServerState] = field(default_factory=dict[str, ServerState])
    sentinels: Mapping[str, SentinelState] = field(default_factory=dict[str, SentinelState])
    units: int = 0
    idle_sentinels: frozenset[str] = frozenset()
    full_servers: frozenset[str] = frozenset()

    def without(self, addresses: Collection[str]) -> ClusterState:
        """The same, as if some had not answered."""
        return ClusterState(
            {a: server for a, server in self.servers.items() if a not in addresses},
            {a: sentinel for a, sentinel in self.sentinels.items() if a not in addresses},
            self.units,
            self.idle_sentinels - set(addresses),
            self.full_servers - set(addresses),
        )

    @property
    def replicas_first(self) -> list[ServerState]:
        """The servers in the order in which they are changed: the primary last."""
        return sorted(self.servers.values(), key=lambda s: (s.is_primary, s.address))

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
        others could have agreed on another one: a unit that is cut off with a former primary
        must not believe it.
        """
        claims = [PrimaryClaim(s.primary, s.epoch) for s in self.sentinels.values()]
        address = agreed_primary(claims)
        server = self.servers.get(address)
        is_known = is_certain(len(claims), max(self.units, len(claims)))
        return address if is_known and server and server.is_primary else ""

    @property
    def epoch(self) -> int | None:
        """The epoch of the failover that made :attr:`primary` that; None while there is none."""
        epochs = [s.epoch for s in self.sentinels.values() if s.primary == self.primary]
        return max(epochs, default=None)
