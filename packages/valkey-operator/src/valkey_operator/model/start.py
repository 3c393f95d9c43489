"""How a unit's server starts: the facts and the decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ..rules.append_only import Data


class Start(Enum):
    """What happens to this unit's server."""

    PRIMARY = "start as the primary"
    REPLICA = "start as a replica"
    RESYNC = "set the damaged data aside and start as a replica"
    WAIT = "only the Sentinel starts"
    BLOCKED = "only the Sentinel starts, and a person has to decide"


@dataclass(frozen=True)
class StartFacts:
    """What the decision rests on.

    Attributes:
        address: Of this unit.
        primary: The address under the highest epoch; empty if it is gone and its successor
            unknown.
        is_certain: Whether no failover can have made another server primary.
        primary_answers: Whether that server, if it is another unit's, says that it is a primary.
        data: What lies in the data directory.
        unit: The name of this unit.
        is_appointed: Whether the leader lets this unit begin when no unit has had a server.
        had_data: Whether this unit has ever had a running server: it must have data then.
        data_time: When its data were current at the least when its server started last, in
            seconds since 1970; 0 if unknown.
        others: How many other units have ever had a server.
        accepts_data_loss: Whether a person has accepted that data are missing.
    """

    address: str
    primary: str
    is_certain: bool
    primary_answers: bool = False
    data: Data = field(default_factory=Data)
    unit: str = ""
    is_appointed: bool = False
    had_data: bool = False
    data_time: float = 0.0
    others: int = 0
    accepts_data_loss: bool = False


@dataclass(frozen=True)
class StartDecision:
    """What happens to this unit's server.

    Attributes:
        start: What.
        primary: The address of the primary that it starts with; empty if it is unknown.
        reason: Why it waits, is blocked, or sets data aside; empty if it starts, or waits for a
            peer that knows the current primary.
        is_withheld: Whether it does not start because this unit's data are missing.
    """

    start: Start
    primary: str = ""
    reason: str = ""
    is_withheld: bool = False

    @property
    def with_server(self) -> bool:
        """Whether the server starts."""
        return self.start in {Start.PRIMARY, Start.REPLICA, Start.RESYNC}
