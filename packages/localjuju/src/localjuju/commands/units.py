"""The commands for units."""

from __future__ import annotations

from typing import Any

from ..errors import CommandError
from ..model import Unit
from .arguments import Command, Parser
from .context import Context


def _add_unit(context: Context, a: Any) -> None:
    app = context.app(a.app)
    storage = attached(context, a.attach_storage)
    for _ in range(int(a.num_units or a.n or 1)):
        context.engine.controller.add_unit(app, storage)
        storage = {}


def attached(context: Context, names: str | None) -> dict[str, str]:
    """Take storage whose unit is gone, to attach it to a new unit.

    Args:
        context: The model.
        names: The ids of the storage, separated by commas.

    Returns:
        The directory of each, by id.

    Raises:
        CommandError: If there is no such storage.
    """
    directories: dict[str, str] = {}
    for name in names.split(",") if names else ():
        if name not in context.model.detached_storage:
            raise CommandError(f'storage "{name}" not found, or in use')
        directories[name] = context.model.detached_storage.pop(name)
    return directories


def _remove_unit(context: Context, a: Any) -> None:
    for name in a.units:
        if "/" in name:
            _begin_removal(context, context.unit(name), force=a.force)
            continue
        alive = [u for u in context.app(name).units.values() if u.alive]
        alive.sort(key=lambda unit: unit.number)
        for unit in alive[max(0, len(alive) - int(a.num_units or 1)) :]:
            _begin_removal(context, unit, force=a.force)


def _begin_removal(context: Context, unit: Unit, *, force: bool) -> None:
    """Begin the removal of a unit; a leader stays leader until its agent stops, as in Juju."""
    unit.alive = False
    unit.stopped = force
    context.engine.timeline.add("model", unit.name, "unit removal begins")


def _resolve(context: Context, a: Any) -> None:
    units = context.model.units() if a.all else [context.unit(name) for name in a.units]
    for unit in units:
        unit.retry_at = 0.0
        if a.no_retry:
            context.engine.failures.skip(unit)


COMMANDS: dict[str, tuple[Parser, Command]] = {
    "add-unit": (
        Parser("add-unit", "app", "--num-units", "-n", "--to", "--attach-storage"),
        _add_unit,
    ),
    "remove-unit": (
        Parser(
            *("remove-unit", "units*", "--num-units"),
            flags=["--no-prompt", "--destroy-storage", "--force"],
        ),
        _remove_unit,
    ),
    "resolve": (Parser("resolve", "units*", flags=["--no-retry", "--all"]), _resolve),
}
