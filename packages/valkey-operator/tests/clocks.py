"""A clock for tests of what waits."""

from __future__ import annotations


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
