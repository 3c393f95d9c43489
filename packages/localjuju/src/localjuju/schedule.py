"""Which unit runs its next hook; one does at a time."""

from __future__ import annotations

import random

from . import resolver
from .controller import Controller
from .failures import Failures
from .model import Event, Model, Unit


class Schedule:
    """Picks the next hook of a model; the caller holds the model's lock.

    Args:
        model: The model.
        controller: Removes units that have run their last hook.
        failures: Says which failed hooks wait.
        seed: Seed of the random order of units; None for the order of their names, in which
            each unit comes after the one that ran last.
    """

    def __init__(
        self, model: Model, controller: Controller, failures: Failures, seed: int | None = None
    ):
        self._model = model
        self._controller = controller
        self._failures = failures
        self._random = None if seed is None else random.Random(seed)  # noqa: S311
        self._next = 0

    def pick(self) -> tuple[Unit, Event] | None:
        """The next unit and what it has to run; None if no unit has anything to do now."""
        for position, unit in enumerate(self._in_order()):
            event = resolver.next_event(self._model, unit)
            if event is not None and event is unit.failed and self._failures.is_waiting(unit):
                continue
            if event is not None:
                self._next += position + 1
                return unit, event
            if _is_finished(unit):
                self._controller.remove_unit(unit)
                return self.pick()
        return None

    def _in_order(self) -> list[Unit]:
        units = self._model.units()
        if self._random:
            self._random.shuffle(units)
        elif units:
            first = self._next % len(units)
            units = units[first:] + units[:first]
        return units

    def is_idle(self) -> bool:
        """Whether no unit has anything to do, or to retry."""
        return not any(self._is_busy(unit) for unit in self._model.units() if not unit.lost)

    def _is_busy(self, unit: Unit) -> bool:
        has_event = unit.running or resolver.next_event(self._model, unit)
        return bool(has_event) or not unit.alive

    def pending(self) -> str:
        """The hooks that run or wait for their next attempt, for an error message."""
        events = {unit.name: unit.running or unit.failed for unit in self._model.units()}
        return ", ".join(f"{name}: {event}" for name, event in events.items() if event)


def _is_finished(unit: Unit) -> bool:
    """Whether a unit without a next hook is to be removed from the model."""
    return not unit.alive and (unit.stopped or not unit.lost)
