"""A machine that is lost with all that runs on it, and comes back."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from .engine import Engine
from .state import Unit
from .supervisor import descendants


def lose(engine: Engine, unit: Unit) -> None:
    """Kill every process of a unit and run none of its hooks; another unit takes its office."""
    app = engine.model.applications[unit.app]
    with engine.lock:
        unit.lost = True
        engine.kill_hook_of(unit)
        if app.leader == unit.name:
            engine.elect(app)
        engine.changed.notify_all()
    for process in _processes(engine, unit):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def recover(engine: Engine, unit: Unit) -> None:
    """Let a unit's machine boot again: Juju runs ``start`` then."""
    with engine.lock:
        unit.lost = False
        unit.started = False
        engine.changed.notify_all()


def _processes(engine: Engine, unit: Unit) -> list[int]:
    """What hooks of a unit have started: it inherits the unit's name."""
    mark = f"JUJU_UNIT_NAME={unit.name}".encode()
    found: list[int] = []
    for process in descendants(engine.host.pid):
        with contextlib.suppress(OSError):
            if mark in Path(f"/proc/{process}/environ").read_bytes().split(b"\0"):
                found.append(process)
    return found
