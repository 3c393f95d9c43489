"""Clocks for tests of what waits."""

from __future__ import annotations

import time


class FastClock:
    """A clock on which a second lasts a few milliseconds.

    Args:
        speed: Seconds on it for one real second.
    """

    def __init__(self, speed: float = 100.0):
        self._speed = speed

    def monotonic(self) -> float:
        return time.monotonic() * self._speed

    def sleep(self, seconds: float, /) -> None:
        time.sleep(seconds / self._speed)


class ManualClock:
    """A clock that stands still but for sleeping, which takes no real time.

    Attributes:
        now: Seconds.
        sleeps: How long each sleep was.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds
        self.sleeps.append(seconds)
