"""Which primary a server follows when it starts, and when it has to start again."""

from __future__ import annotations

from typing import Any, cast

import pytest

from valkey_operator.model.cluster_state import ServerState
from valkey_operator.model.peer_data import SharedState
from valkey_operator.model.start import Start, StartDecision
from valkey_operator.rules.append_only import Data
from valkey_operator.rules.epochs import PrimaryClaim
from valkey_operator.servers.connection import RefusedError, ServerError
from valkey_operator.unit.startup import Startup

from .clocks import ManualClock

OWN, OTHER, REMOVED = "10.0.0.1", "10.0.0.2", "10.0.0.9"


class OtherServers:
    """The servers and Sentinels of other units.

    Args:
        claims: The primaries that Sentinels name.
        answering: The addresses of the servers that answer.
    """

    def __init__(self, claims: list[PrimaryClaim], *answering: str):
        self.clock = ManualClock()
        self._claims, self._answering = claims, answering

    def settled_primary_claims(self, _: object) -> list[PrimaryClaim]:
        return self._claims

    def observe_server(self, address: str) -> Any:
        if address not in self._answering:
            raise ServerError(address)
        return ServerState(address=address, role="master")


class BusyPrimary(OtherServers):
    """The primary runs a script that takes long."""

    def observe_server(self, address: str) -> Any:
        if address != OWN:
            raise RefusedError("BUSY Valkey is busy running a script.")
        return ServerState(address=OWN, role="slave", primary=REMOVED, in_sync=True)


class RemovedPrimary(OtherServers):
    """The primary does not answer, and its replication link is down."""

    def observe_server(self, address: str) -> Any:
        if address != OWN:
            raise ServerError("connection refused")
        return ServerState(address=OWN, role="slave", primary=REMOVED, in_sync=False)


class Unit:
    """The unit that starts.

    Args:
        recorded: The primary in its Sentinel's configuration.
    """

    address = OWN

    def __init__(self, recorded: PrimaryClaim):
        self._recorded = recorded

    def recorded_primary(self) -> PrimaryClaim:
        return self._recorded


def make_startup(
    recorded: PrimaryClaim,
    shared: PrimaryClaim,
    servers: OtherServers,
    *,
    others: int = 1,
    is_last: bool = False,
) -> Startup:
    return Startup(
        cast("Any", Unit(recorded)),
        cast("Any", servers),
        SharedState(first_unit="valkey/1", first_primary=shared.address, epoch=shared.epoch),
        others=[OTHER][:others],
        started=others,
        unit="valkey/1",
        had_data=False,
        data_time=0.0,
        successor=lambda: OWN if is_last else "",
    )


def select(
    recorded: PrimaryClaim,
    shared: PrimaryClaim,
    servers: OtherServers,
    *,
    others: int = 1,
    is_last: bool = False,
) -> StartDecision:
    startup = make_startup(recorded, shared, servers, others=others, is_last=is_last)
    return startup.decide(Data())


NO_SERVERS = OtherServers([])


def test_the_primary_of_the_latest_failover_is_selected() -> None:
    servers = OtherServers([PrimaryClaim(OTHER, 2)], OTHER)
    assert select(PrimaryClaim(OWN, 1), PrimaryClaim(OWN), servers) == StartDecision(
        Start.REPLICA, OTHER
    )
    assert select(PrimaryClaim(OWN, 1), PrimaryClaim(OTHER, 2), NO_SERVERS).primary == OTHER


def test_a_removed_primary_that_still_answers_is_selected() -> None:
    """Its unit hands over, and needs a replica for that."""
    servers = OtherServers([], REMOVED)
    assert select(PrimaryClaim(), PrimaryClaim(REMOVED, 1), servers).primary == REMOVED


@pytest.mark.parametrize(
    "recorded", [PrimaryClaim(), PrimaryClaim(REMOVED, 1)], ids=["nothing recorded", "recorded"]
)
def test_the_last_unit_selects_itself_if_the_primary_was_removed(recorded: PrimaryClaim) -> None:
    shared = PrimaryClaim(REMOVED, 1)
    assert select(recorded, shared, NO_SERVERS).primary == "", "another unit may know more"
    assert select(recorded, shared, NO_SERVERS, others=0, is_last=True).primary == OWN


def test_the_primary_of_a_known_unit_is_selected_before_it_answers() -> None:
    """The units of an application that is deployed start in any order."""
    assert select(PrimaryClaim(), PrimaryClaim(OTHER), NO_SERVERS).primary == OTHER


def test_the_first_unit_of_a_new_cluster_selects_itself() -> None:
    assert select(PrimaryClaim(), PrimaryClaim(OWN), NO_SERVERS, others=0) == StartDecision(
        Start.PRIMARY, OWN
    )


def test_a_busy_primary_is_not_taken_for_removed() -> None:
    """The last unit would be a second primary, while the first one goes on taking writes."""
    claim = PrimaryClaim(REMOVED, 3)
    startup = make_startup(claim, claim, BusyPrimary([]), others=0, is_last=True)
    assert startup.reason_to_restart() == ""
    assert startup.decide(Data()).primary == REMOVED


def test_the_last_unit_restarts_if_its_primary_was_removed() -> None:
    claim = PrimaryClaim(REMOVED, 3)
    startup = make_startup(claim, claim, RemovedPrimary([]), others=0, is_last=True)
    assert startup.reason_to_restart() == "its primary was removed and this is the last unit"


def test_a_unit_restarts_if_its_sentinel_does_not_hear_of_the_new_primary() -> None:
    startup = make_startup(PrimaryClaim(OWN, 1), PrimaryClaim(OTHER, 2), OtherServers([], OTHER))
    assert startup.reason_to_restart() == f"the Sentinel knows the former primary {OWN} only"
    assert startup.cluster.clock.monotonic() >= 3, "Sentinels say hello every 2 s"
