"""When a unit's servers may stop; tests/faults has it with real ones."""

from __future__ import annotations

from typing import Any, cast

import pytest

from valkey_operator.model.cluster_state import ServerState
from valkey_operator.servers.connection import RefusedError, ServerError
from valkey_operator.servers.handover import hand_over
from valkey_operator.servers.switchover import SwitchoverError

from .clocks import ManualClock

OWN = "10.0.0.1"


class Servers:
    """A cluster of one unit whose Sentinel is dead."""

    def __init__(self, answer: ServerState | ServerError):
        self.clock = ManualClock()
        self._answer = answer

    def observe_server(self, _: str) -> ServerState:
        if isinstance(self._answer, ServerError):
            raise self._answer
        return self._answer

    def sentinels_known_to(self, _: str) -> list[str]:
        raise ServerError("no answer")


def try_hand_over(answer: ServerState | ServerError) -> ManualClock:
    """Hand over a unit whose server answers so; returns the clock that was waited by."""
    servers = Servers(answer)
    hand_over(cast("Any", servers), OWN)
    return servers.clock


def test_a_busy_primary_does_not_stop() -> None:
    with pytest.raises(
        SwitchoverError, match=r"BUSY.*stops only when another unit has taken over"
    ):
        try_hand_over(RefusedError("BUSY Valkey is busy running a script."))


@pytest.mark.parametrize(
    "answer",
    [ServerError("connection refused"), ServerState(address=OWN, role="slave")],
    ids=["dead", "replica"],
)
def test_a_dead_server_or_a_replica_stops_after_the_timeout(
    answer: ServerState | ServerError,
) -> None:
    clock = try_hand_over(answer)
    assert 10 < clock.now < 10.5, "a moment without an answer is no reason to lose its data"
