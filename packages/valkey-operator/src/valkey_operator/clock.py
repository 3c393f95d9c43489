"""Waiting for something, with a clock that tests can replace."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """What waiting is measured by; the module ``time`` is one."""

    def monotonic(self) -> float:
        """Seconds since some moment."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Do nothing for so long."""
        ...


def until(
    predicate: Callable[[], T], timeout: float, *, interval: float = 0.1, clock: Clock = time
) -> T:
    """Call a function until what it returns is true, or time is up.

    Args:
        predicate: Called once at the least.
        timeout: Seconds after which it is not called again.
        interval: Seconds between two calls.
        clock: What the seconds are measured by.

    Returns:
        What it returned last; false if time was up.
    """
    deadline = clock.monotonic() + timeout
    while not (result := predicate()) and clock.monotonic() < deadline:
        clock.sleep(interval)
    return result
