"""Which unit of an application leads it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from .model import Application
from .timeline import Timeline


@dataclass(frozen=True)
class Leadership:
    """Gives leadership to units and takes it from them; no lease runs out by itself.

    Attributes:
        changed: Guards the model, and is told of every change.
        timeline: Where leaders are noted.
    """

    changed: threading.Condition
    timeline: Timeline

    def elect(self, app: Application, unit: str = "") -> None:
        """Give an application a leader: the given unit, or the oldest that is not dying."""
        with self.changed:
            leader = unit or _first_candidate(app)
            if app.leader in app.units:
                app.units[app.leader].elected = False
            app.leader = leader
            if leader:
                self.timeline.add("leader", app.name, leader)
            self.changed.notify_all()

    def clear(self, app: Application) -> None:
        """Leave an application without a leader; no unit is told."""
        with self.changed:
            app.leader = ""


def _first_candidate(app: Application) -> str:
    """The name of the unit that is elected; empty if there is none."""
    units = sorted(app.units.values(), key=lambda unit: unit.number)
    candidates = [unit.name for unit in units if unit.alive and not unit.lost]
    return next(iter(candidates or sorted(app.units)), "")
