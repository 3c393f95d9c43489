"""The command that runs an action and waits for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import yaml

from .. import report
from ..errors import CommandError
from ..model import Task
from .arguments import Command, Output, Parser, dump, seconds
from .context import Context


def _run(context: Context, a: Any) -> Output:
    unit = context.unit(a.unit)
    if a.action not in context.app(unit.app).charm.actions:
        raise CommandError(f'action "{a.action}" not defined for unit "{unit.name}" (not found)')
    loaded: Any = yaml.safe_load(Path(a.params).read_text()) if a.params else None
    parameters: dict[str, Any] = loaded or {}
    for pair in a.pairs:
        name, _, value = pair.partition("=")
        parameters[name] = yaml.safe_load(value)
    action = context.app(unit.app).charm.actions[a.action]
    spec: dict[str, dict[str, Any]] = action.get("params") or {}
    defaults = {k: v["default"] for k, v in spec.items() if "default" in v}
    context.model.next_task += 1
    task = Task(str(context.model.next_task), unit.name, a.action, defaults | parameters)
    unit.tasks.append(task)
    context.engine.changed.notify_all()
    deadline = time.monotonic() + seconds(a.wait or "60s")
    while not task.finished:
        left = deadline - time.monotonic()
        if context.engine.closing or context.model.unit(unit.name) is not unit:
            raise CommandError(f'unit "{unit.name}" is gone')
        if left <= 0:
            return 1, "", "ERROR timed out waiting for results from: " + unit.name + "\n"
        context.engine.changed.wait(left)
    output = dump({unit.name: report.show_task(task)}, a.format)
    if task.status == "completed":
        return output
    return 1, output, f"ERROR the following task failed:\n - id {task.id}: task failed\n"


COMMANDS: dict[str, tuple[Parser, Command]] = {
    "run": (Parser("run", "unit action pairs*", "--params", "--wait"), _run),
}
