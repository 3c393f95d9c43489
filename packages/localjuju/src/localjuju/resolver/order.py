"""The order of a unit's hooks: a list of resolvers, of which the first that has a hook decides.

Juju's agent works like that (``internal/worker/uniter/resolver.go``), with other lists in places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from ..model import Event, Model, Unit
from . import relations, secrets, storage

Resolver = Callable[[Model, Unit], Iterator[Event]]
"""The hooks of one kind that a unit has to run, in their order."""


def next_event(model: Model, unit: Unit) -> Event | None:
    """The next hook or action of a unit, None if it has nothing to do."""
    if unit.stopped or unit.lost:
        return None
    if unit.failed:
        return _first(_IN_ERROR, model, unit) or unit.failed
    return _first(_ALIVE if unit.alive else _DYING, model, unit)


def _first(resolvers: tuple[Resolver, ...], model: Model, unit: Unit) -> Event | None:
    return next(chain.from_iterable(resolver(model, unit) for resolver in resolvers), None)


def _install(_: Model, unit: Unit) -> Iterator[Event]:
    if not unit.installed:
        yield Event("install", "install")


def _leader_elected(model: Model, unit: Unit) -> Iterator[Event]:
    if model.is_leader(unit.name) and not unit.elected:
        yield Event("leader-elected", "leader-elected")


def _actions(_: Model, unit: Unit) -> Iterator[Event]:
    if unit.started:
        for task in unit.tasks:
            if not task.finished:
                yield Event("action", "", task_id=task.id)


def _commands(_: Model, unit: Unit) -> Iterator[Event]:
    for command in unit.commands:
        yield Event("run-commands", "", command_id=command.id)


def _upgrade_charm(model: Model, unit: Unit) -> Iterator[Event]:
    if unit.charm_seen != model.applications[unit.app].charm_version:
        yield Event("upgrade-charm", "upgrade-charm")


def _config_changed(model: Model, unit: Unit) -> Iterator[Event]:
    if unit.config_seen != model.applications[unit.app].config_version or unit.upgraded:
        yield Event("config-changed", "config-changed")


def _start(_: Model, unit: Unit) -> Iterator[Event]:
    if not unit.started:
        yield Event("start", "start")


def _fired(_: Model, unit: Unit) -> Iterator[Event]:
    yield from unit.due


def _update_status(_: Model, unit: Unit) -> Iterator[Event]:
    if unit.update_status_due:
        yield Event("update-status", "update-status")


def _stop(_: Model, unit: Unit) -> Iterator[Event]:
    if unit.started:
        yield Event("stop", "stop")


def _remove(_: Model, unit: Unit) -> Iterator[Event]:
    if unit.installed:
        yield Event("remove", "remove")


_ALIVE: tuple[Resolver, ...] = (
    storage.attached,
    _install,
    relations.created,
    _leader_elected,
    _actions,
    _commands,
    _upgrade_charm,
    _config_changed,
    _start,
    relations.changes,
    secrets.changes,
    _fired,
    _update_status,
)

_DYING: tuple[Resolver, ...] = (
    _commands,
    relations.departures,
    _stop,
    storage.detaching,
    _remove,
)

_IN_ERROR: tuple[Resolver, ...] = (_actions, _commands)
"""What a unit runs while a hook waits for its next attempt or for ``juju resolve``."""
