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
        engine.calls.kill_hook_of(unit)
        if app.leader == unit.name:
            engine.controller.elect(app)
        engine.changed.notify_all()
    for process in _processes(engine, unit):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def recover(engine: Engine, unit: Unit) -> None:
    """Let a unit's machine boot again: Juju runs ``start`` then."""
    with engine.lock:
        unit.lost = False
        unit.started = False
        app = engine.model.applications[unit.app]
        if not app.leader:
            engine.controller.elect(app)
        engine.changed.notify_all()


def _processes(engine: Engine, unit: Unit) -> list[int]:
    """What hooks of a unit have started: it bears the unit's name or stands in its directories.

    A name alone would not do: servers that change their title write over their environment.
    """
    mark = f"JUJU_UNIT_NAME={unit.name}".encode()
    own = engine.root / "agents" / f"unit-{unit.name.replace('/', '-')}"
    homes = [own, *map(Path, unit.storages.values())]
    found: list[int] = []
    for process in descendants(engine.host.pid):
        with contextlib.suppress(OSError):
            entry = Path(f"/proc/{process}")
            stands = (entry / "cwd").readlink()
            named = mark in (entry / "environ").read_bytes().split(b"\0")
            # The interpreter of all units of an application stands in a charm directory.
            at_home = any(stands.is_relative_to(home) for home in homes)
            if named or (at_home and not stands.is_relative_to(own / "charm")):
                found.append(process)
    return found
