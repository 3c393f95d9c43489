"""When a unit's servers may stop; tests/faults has it with real ones."""

from __future__ import annotations

from typing import Any, cast

import pytest

from valkey_operator.model.cluster_state import ServerState
from valkey_operator.servers import handover
from valkey_operator.servers.connection import RefusedError, ServerError
from valkey_operator.servers.switchover import SwitchoverError

OWN = "10.0.0.1"


class Servers:
    """What a unit's server says of itself; its Sentinel is dead."""

    def __init__(self, said: ServerState | ServerError):
        self._said = said

    def observe_server(self, _: str) -> ServerState:
        if isinstance(self._said, ServerError):
            raise self._said
        return self._said

    def sentinels_known_to(self, _: str) -> list[str]:
        raise ServerError("no answer")


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "_TIMEOUT", 0.3)


def hand_over(said: ServerState | ServerError) -> None:
    handover.hand_over(cast("Any", Servers(said)), OWN)


def test_a_primary_that_is_busy_does_not_stop() -> None:
    with pytest.raises(SwitchoverError, match=r"BUSY.*waits for another unit to take over"):
        hand_over(RefusedError("BUSY Valkey is busy running a script."))


@pytest.mark.parametrize(
    "said", [ServerError("connection refused"), ServerState(address=OWN, role="slave")]
)
def test_what_is_dead_or_a_replica_stops(said: ServerState | ServerError) -> None:
    hand_over(said)
