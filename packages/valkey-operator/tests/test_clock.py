"""Waiting for something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from valkey_operator.clock import until

from .clocks import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_until_returns_at_once_what_is_true(clock: ManualClock) -> None:
    assert until(lambda: "primary", 5.0, clock=clock) == "primary"
    assert clock.sleeps == []


def test_until_calls_again_after_each_interval(clock: ManualClock) -> None:
    results: Iterator[str] = iter(["", "", "primary"])
    assert until(lambda: next(results), 5.0, interval=0.25, clock=clock) == "primary"
    assert clock.sleeps == [0.25, 0.25]


def test_until_returns_the_last_false_result_when_time_is_up(clock: ManualClock) -> None:
    calls: list[float] = []

    def predicate() -> list[str]:
        calls.append(clock.now)
        return []

    assert until(predicate, 1.0, interval=0.25, clock=clock) == []
    assert calls == [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("timeout", [0.0, -1.0])
def test_until_calls_once_without_a_timeout(clock: ManualClock, timeout: float) -> None:
    calls: list[float] = []
    assert not until(lambda: calls.append(clock.now), timeout, clock=clock)
    assert calls == [0.0]
    assert clock.sleeps == []


def test_until_raises_what_the_predicate_raises(clock: ManualClock) -> None:
    def predicate() -> bool:
        raise ValueError("a server does not answer")

    with pytest.raises(ValueError, match="does not answer"):
        until(predicate, 1.0, clock=clock)
