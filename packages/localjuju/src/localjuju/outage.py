"""A machine that is lost with all that runs on it, and comes back."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from .engine import Engine
from .model import Unit
from .supervisor import descendants


def lose(engine: Engine, unit: Unit) -> None:
    """Kill every process of a unit and run none of its hooks; another unit leads then."""
    app = engine.model.applications[unit.app]
    with engine.lock:
        unit.lost = True
        engine.calls.kill_hook_of(unit)
        if app.leader == unit.name:
            engine.leadership.elect(app)
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
            engine.leadership.elect(app)
        engine.changed.notify_all()


def _processes(engine: Engine, unit: Unit) -> list[int]:
    """The processes that hooks of a unit have started.

    They have the unit's name in their environment or work in its directories. The name alone is
    not enough: servers that change their title write over their environment.
    """
    marker = f"JUJU_UNIT_NAME={unit.name}".encode()
    agent_dir = engine.root / "agents" / f"unit-{unit.name.replace('/', '-')}"
    directories = [agent_dir, *map(Path, unit.storages.values())]
    processes: list[int] = []
    for process in descendants(engine.host.pid):
        with contextlib.suppress(OSError):  # it has ended since it was listed
            entry = Path(f"/proc/{process}")
            working_dir = (entry / "cwd").readlink()
            has_name = marker in (entry / "environ").read_bytes().split(b"\0")
            is_inside = any(working_dir.is_relative_to(path) for path in directories)
            # The interpreter of all units of an application works in a charm directory.
            if has_name or (is_inside and not working_dir.is_relative_to(agent_dir / "charm")):
                processes.append(process)
    return processes
