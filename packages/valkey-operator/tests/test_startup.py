"""Whom a server follows when it starts; everybody else is gone, or has not been met."""

from __future__ import annotations

from typing import Any, cast

import pytest

from valkey_operator.model.cluster_state import ServerState
from valkey_operator.peers import SharedState
from valkey_operator.rules.epochs import PrimaryClaim
from valkey_operator.servers.connection import RefusedError, ServerError
from valkey_operator.unit.startup import PrimarySelection, Startup

OWN, OTHER, GONE = "10.0.0.1", "10.0.0.2", "10.0.0.9"


class Sentinels:
    """What is said to a unit that starts; only some servers answer."""

    def __init__(self, named: list[PrimaryClaim], *alive: str):
        self._named, self._alive = named, alive

    def settled_primary_claims(self, _: object) -> list[PrimaryClaim]:
        return self._named

    def observe_server(self, address: str) -> None:
        if address not in self._alive:
            raise ServerError(address)


class Busy(Sentinels):
    """The primary runs a script that takes long."""

    def observe_server(self, address: str) -> Any:
        if address != OWN:
            raise RefusedError("BUSY Valkey is busy running a script.")
        return ServerState(address=OWN, role="slave", primary=GONE, in_sync=True)


class Unit:
    address = OWN

    def __init__(self, known: PrimaryClaim):
        self._known = known

    def recorded_primary(self) -> PrimaryClaim:
        return self._known


def following(
    known: PrimaryClaim,
    shared: PrimaryClaim,
    sentinels: Sentinels,
    *,
    others: int = 1,
    is_last: bool = False,
) -> Startup:
    return Startup(
        cast("Any", Unit(known)),
        cast("Any", sentinels),
        SharedState(first_primary=shared.address, epoch=shared.epoch),
        others=[OTHER][:others],
        started=others,
        is_last=lambda: is_last,
    )


def choose(
    known: PrimaryClaim,
    shared: PrimaryClaim,
    sentinels: Sentinels,
    *,
    others: int = 1,
    is_last: bool = False,
) -> PrimarySelection:
    return following(known, shared, sentinels, others=others, is_last=is_last).choose()


def test_the_latest_failover_counts_whoever_tells_of_it() -> None:
    said = Sentinels([PrimaryClaim(OTHER, 2)], OTHER)
    assert choose(PrimaryClaim(OWN, 1), PrimaryClaim(OWN), said) == PrimarySelection(
        OTHER, is_certain=True
    )
    assert choose(PrimaryClaim(OWN, 1), PrimaryClaim(OTHER, 2), Sentinels([])).primary == OTHER


def test_a_primary_that_has_left_but_answers_is_followed() -> None:
    """Its unit hands over, and needs a replica for that."""
    assert choose(PrimaryClaim(), PrimaryClaim(GONE, 1), Sentinels([], GONE)).primary == GONE


@pytest.mark.parametrize("known", [PrimaryClaim(), PrimaryClaim(GONE, 1)])
def test_a_primary_that_is_gone_is_not_waited_for_in_vain(known: PrimaryClaim) -> None:
    nobody = Sentinels([])
    assert choose(known, PrimaryClaim(GONE, 1), nobody).primary == "", "another unit may know more"
    assert choose(known, PrimaryClaim(GONE, 1), nobody, others=0, is_last=True).primary == OWN


def test_a_unit_that_is_met_is_followed_before_its_server_answers() -> None:
    """The units of an application that is deployed start in any order."""
    assert choose(PrimaryClaim(), PrimaryClaim(OTHER), Sentinels([])).primary == OTHER


def test_the_founder_needs_nobody() -> None:
    assert choose(PrimaryClaim(), PrimaryClaim(OWN), Sentinels([]), others=0) == PrimarySelection(
        OWN, is_certain=True
    )


def test_a_primary_that_is_busy_is_not_gone() -> None:
    """The last unit would be a second primary, while the first one goes on taking writes."""
    unit = following(
        PrimaryClaim(GONE, 3), PrimaryClaim(GONE, 3), Busy([]), others=0, is_last=True
    )
    assert not unit.must_restart()
    assert unit.choose().primary == GONE
