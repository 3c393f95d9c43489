"""What the units of the application tell each other in the peer relation, as records.

:mod:`valkey_operator.peers` reads and writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ..rules.accounts import Account
from .published_topology import PublishedTopology
from .tls_policy import TlsPolicy, UnitTlsReport


class RestartNeed(Enum):
    """What of a unit has to be started again, once the leader permits it.

    The values are what the databag says; the first release of the charm wrote the same ones.
    """

    NONE = ""
    SERVERS = "true"
    SENTINEL = "sentinel"


@dataclass(frozen=True)
class Peer:
    """One unit's databag.

    Attributes:
        unit: Its name.
        address: Where its server and Sentinel listen.
        generation: How often the unit has started its servers; 0 before the first start. Every
            change makes the leader look at the unit again.
        config_digest: Of the configuration that its servers should run with.
        restart_need: What runs with another configuration and waits for a permit to restart.
        memory: The memory of its machine or container, in bytes; 0 if unknown.
        tls: What it reports of its certificates.
    """

    unit: str
    address: str
    generation: int = 0
    config_digest: str = ""
    restart_need: RestartNeed = RestartNeed.NONE
    memory: int = 0
    tls: UnitTlsReport = field(default_factory=UnitTlsReport)

    @property
    def started(self) -> bool:
        """Whether both servers have been started, with the accounts of that time."""
        return self.generation > 0

    @property
    def number(self) -> int:
        """The number in the unit's name."""
        return int(self.unit.rpartition("/")[2])


@dataclass(frozen=True)
class SharedState:
    """The application's databag in the peer relation, written by the leader.

    Attributes:
        secret: URI of the secret with the passwords of the internal accounts.
        first_primary: The address that was primary when the leader last looked; it counts as
            long as no Sentinel knows better.
        epoch: The configuration epoch of the failover that made it primary.
        restarting_unit: The unit that may restart its servers; see
            :mod:`valkey_operator.decide.rolling_restart`.
        accounts: The client accounts that must exist, by name.
        pending: Ids of relations with requests that wait for the cluster.
        published: What all clients were told last; None before the first time.
        databases: Who owns each database, for good; see :mod:`valkey_operator.rules.databases`.
        tls: Whether servers speak TLS, and which CAs they trust.
    """

    secret: str = ""
    first_primary: str = ""
    epoch: int = 0
    restarting_unit: str = ""
    accounts: Mapping[str, Account] = field(default_factory=dict[str, Account])
    pending: frozenset[int] = frozenset()
    published: PublishedTopology | None = None
    databases: Mapping[str, int] = field(default_factory=dict[str, int])
    tls: TlsPolicy = field(default_factory=TlsPolicy)
