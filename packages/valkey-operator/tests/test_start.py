"""Whether and how a server may start: every combination of facts, with the rule that it obeys."""

from __future__ import annotations

import itertools

import pytest

from valkey_operator.decide.start import decide_start
from valkey_operator.model.start import Start, StartFacts
from valkey_operator.rules.append_only import Condition, Data, DataRecord

OWN, OTHER = "10.0.0.1", "10.0.0.2"
RECORD = DataRecord(unit="valkey/1", address=OWN, time=100.0)


def present(record: DataRecord | None = RECORD) -> Data:
    return Data(Condition.PRESENT, record=record)


EMPTY = Data(Condition.EMPTY)
DAMAGED = Data(Condition.DAMAGED, "appendonlydir/x is missing")


def facts(**changes: object) -> StartFacts:
    values: dict[str, object] = {
        "address": OWN,
        "primary": OWN,
        "is_certain": True,
        "data": present(),
        "unit": "valkey/1",
        "had_data": True,
        "others": 2,
    }
    return StartFacts(**(values | changes))  # pyright: ignore[reportArgumentType]


def start(**changes: object) -> Start:
    return decide_start(facts(**changes)).start


def test_a_primary_whose_data_are_there_starts() -> None:
    assert start() is Start.PRIMARY
    assert start(others=0) is Start.PRIMARY
    assert start(data=present(None)) is Start.PRIMARY, "an earlier release kept no record"


def test_a_new_unit_starts_with_nothing_if_the_leader_lets_it_begin() -> None:
    new = {"had_data": False, "data": EMPTY, "others": 0}
    assert start(is_appointed=True, **new) is Start.PRIMARY
    assert start(**new) is Start.WAIT


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (EMPTY, "the data directory is empty, but this unit had data"),
        (DAMAGED, "appendonlydir/x is missing"),
        (
            present(DataRecord(unit="valkey/0", time=100.0)),
            "the data directory holds the data of valkey/0",
        ),
        (
            present(DataRecord(unit="valkey/1", time=50.0)),
            "the data directory holds older data than this unit had",
        ),
    ],
    ids=["empty", "damaged", "of another unit", "older"],
)
def test_a_primary_without_its_data_leaves_its_place_or_asks(data: Data, reason: str) -> None:
    waiting = decide_start(facts(data=data, data_time=90.0))
    assert (waiting.start, waiting.is_withheld) == (Start.WAIT, True)
    assert waiting.reason == f"{reason}; waiting for another unit to become the primary"
    alone = decide_start(facts(data=data, data_time=90.0, others=0))
    assert (alone.start, alone.is_withheld) == (Start.BLOCKED, True)
    assert alone.reason.startswith(f"{reason}: ")
    assert "accept-data-loss" in alone.reason
    assert start(data=data, data_time=90.0, others=0, accepts_data_loss=True) is Start.PRIMARY


def test_storage_of_a_removed_unit_is_served_if_the_leader_lets_the_unit_begin() -> None:
    attached = present(DataRecord(unit="valkey/0", others=(OTHER,)))
    assert start(data=attached, had_data=False, others=0, is_appointed=True) is Start.PRIMARY
    assert start(data=attached, had_data=False, others=0) is Start.WAIT


def test_a_replica_starts_whatever_its_data_are_unless_they_cannot_be_loaded() -> None:
    replica = {"primary": OTHER}
    assert start(data=EMPTY, **replica) is Start.REPLICA
    assert start(data=present(), **replica) is Start.REPLICA
    assert start(data=DAMAGED, primary_answers=True, **replica) is Start.RESYNC
    assert start(data=DAMAGED, primary_answers=False, **replica) is Start.WAIT


def test_nothing_starts_while_the_primary_is_unknown_or_uncertain() -> None:
    assert start(primary="") is Start.WAIT
    assert start(is_certain=False) is Start.WAIT
    assert not decide_start(facts(is_certain=False)).is_withheld


@pytest.mark.parametrize("data", [EMPTY, DAMAGED, present(DataRecord(unit="valkey/9"))])
def test_no_server_that_had_data_starts_as_a_primary_without_them(data: Data) -> None:
    """All other facts, in every combination."""
    for primary, is_certain, answers, others in itertools.product(
        ("", OWN, OTHER), (True, False), (True, False), (0, 1, 4)
    ):
        decision = decide_start(
            facts(
                primary=primary,
                is_certain=is_certain,
                primary_answers=answers,
                others=others,
                data=data,
            )
        )
        assert decision.start is not Start.PRIMARY
        assert not decision.with_server or decision.primary == OTHER
