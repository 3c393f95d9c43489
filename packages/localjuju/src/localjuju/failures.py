"""Hooks that failed, and when Juju tries them again."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from . import resolver
from .clock import Clock
from .model import Event, Model, Unit
from .settings import Settings
from .timeline import Timeline


@dataclass(frozen=True)
class FailedHook:
    """An attempt to run a hook that failed.

    Attributes:
        seconds: Since the model was made.
        unit: The name of the unit.
        event: What the hook was about.
        reason: The last line of its output, or why it could not be run.
    """

    seconds: float
    unit: str
    event: Event
    reason: str

    def __str__(self) -> str:
        return f"{self.unit}: {self.event} failed: {self.reason}"


@dataclass(frozen=True)
class RetryDelays:
    """Seconds between two attempts of a hook, twice as long each time.

    Attributes:
        first: After the first failure.
        longest: What the delay grows up to.
    """

    first: float = 0.5
    longest: float = 30.0

    def after(self, failures: int) -> float:
        """The delay after so many failures in a row, at least one."""
        return min(self.first * 2 ** (failures - 1), self.longest)


class Failures:
    """Notes which hooks failed and when each is retried."""

    def __init__(
        self,
        *,
        model: Model,
        changed: threading.Condition,
        timeline: Timeline,
        clock: Clock,
        settings: Settings,
        delays: RetryDelays | None = None,
    ):
        self._model = model
        self._changed = changed
        self._timeline = timeline
        self._clock = clock
        self._settings = settings
        self._delays = delays or RetryDelays()
        self._hooks: list[FailedHook] = []

    def all(self) -> tuple[FailedHook, ...]:
        """Every attempt that failed, oldest first."""
        with self._changed:
            return tuple(self._hooks)

    def add(self, unit: Unit, event: Event, reason: str) -> None:
        """Note that a unit's hook failed; the unit is in error until it succeeds."""
        with self._changed:
            unit.failures += 1
            unit.failed = event
            unit.retry_at = (
                self._clock.now() + self._delays.after(unit.failures)
                if self._settings.automatically_retry_hooks
                else math.inf
            )
            entry = self._timeline.add("hook", unit.name, f"{event} failed: {reason}")
            self._hooks.append(FailedHook(entry.seconds, unit.name, event, reason))

    @staticmethod
    def clear(unit: Unit) -> None:
        """Note that a unit's hook has succeeded."""
        unit.failed, unit.failures = None, 0

    def skip(self, unit: Unit) -> None:
        """Treat a unit's failed hook as if it had succeeded (``juju resolve --no-retry``)."""
        with self._changed:
            if unit.failed:
                version = resolver.version_of(self._model, unit, unit.failed)
                resolver.record(self._model, unit, unit.failed, version)
                self.clear(unit)
                self._changed.notify_all()

    def is_waiting(self, unit: Unit) -> bool:
        """Whether a unit's failed hook is not to be retried yet."""
        return unit.retry_at > self._clock.now()

    def seconds_to_next_retry(self) -> float | None:
        """The seconds until a failed hook is to be retried; None if none is."""
        times = [
            unit.retry_at
            for unit in self._model.units()
            if unit.failed and not (unit.lost or unit.stopped)
        ]
        earliest = min(times, default=math.inf)
        return None if earliest == math.inf else max(0.0, earliest - self._clock.now())
