"""What the units of the application tell each other in the peer relation, as records.

:mod:`valkey_operator.peers` reads and writes them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..rules.accounts import Account
from ..rules.append_only import Condition, Data, DataRecord
from .published_topology import PublishedTopology
from .tls_policy import TlsPolicy, UnitTlsReport


@dataclass(frozen=True)
class DataReport:
    """What a unit found in its data directory before its server started last.

    Attributes:
        condition: What can be told of the data.
        is_withheld: Whether the server was not started because of its data.
        epoch: The configuration epoch of the primary that they come from.
        replication_id: Of the replication stream that they belong to; empty if unknown.
        offset: The position in that stream; comparable within one id only.
        time: When they were current at the least, in seconds since 1970; 0 if unknown.
        address: The address of the unit that wrote them.
        others: The addresses of the other units that had a server when they were recorded last.
        is_final: Whether that server was stopped in order, after its last write.
        is_accepted: Whether a person has accepted that data are missing.
    """

    condition: Condition = Condition.EMPTY
    is_withheld: bool = False
    epoch: int = 0
    replication_id: str = ""
    offset: int = 0
    time: float = 0.0
    address: str = ""
    others: tuple[str, ...] = ()
    is_final: bool = False
    is_accepted: bool = False

    @classmethod
    def of(cls, data: Data, *, is_withheld: bool = False, is_accepted: bool = False) -> DataReport:
        """What a unit reports of the data in its directory."""
        record = data.record or DataRecord()
        return cls(
            condition=data.condition,
            is_withheld=is_withheld,
            epoch=record.epoch,
            replication_id=record.replication_id,
            offset=record.offset,
            time=float(data.time),
            address=record.address,
            others=record.others,
            is_final=record.is_final,
            is_accepted=is_accepted,
        )

    def proves_newest_among(self, addresses: Collection[str]) -> bool:
        """Whether no other storage than of the units with these addresses can be newer."""
        return set(self.others) <= set(addresses)

    @classmethod
    def read(cls, text: str) -> DataReport | None:
        """From a databag; None if the unit has not reported."""
        if not text:
            return None
        entries: dict[str, Any] = json.loads(text)
        try:
            condition = Condition(entries.get("condition"))
        except ValueError:
            return None  # Of a later release.
        return cls(
            condition=condition,
            is_withheld=entries.get("withheld") is True,
            epoch=int(entries.get("epoch", 0)),
            replication_id=str(entries.get("replication-id", "")),
            offset=int(entries.get("offset", 0)),
            time=float(entries.get("time", 0.0)),
            address=str(entries.get("address", "")),
            others=tuple(map(str, entries.get("others", ()))),
            is_final=entries.get("final") is True,
            is_accepted=entries.get("accepted") is True,
        )

    def text(self) -> str:
        """For a databag."""
        entries: dict[str, Any] = {
            "condition": self.condition.value,
            "withheld": self.is_withheld,
            "epoch": self.epoch,
            "replication-id": self.replication_id,
            "offset": self.offset,
            "time": self.time,
            "address": self.address,
            "others": self.others,
            "final": self.is_final,
            "accepted": self.is_accepted,
        }
        return json.dumps({name: value for name, value in entries.items() if value})


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
        data: What it reports of its data; None if it has not.
    """

    unit: str
    address: str
    generation: int = 0
    config_digest: str = ""
    restart_need: RestartNeed = RestartNeed.NONE
    memory: int = 0
    tls: UnitTlsReport = field(default_factory=UnitTlsReport)
    data: DataReport | None = None

    @property
    def data_time(self) -> float:
        """When its data were current at the least when its server started last; 0 if unknown."""
        return self.data.time if self.data else 0.0

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
        first_unit: The unit that the leader let begin when no unit had a server.
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
    first_unit: str = ""
