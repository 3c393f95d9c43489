"""What a unit has to run next: the difference between what it has seen and the model.

Nothing is queued. A hook that fails leaves what was seen as it was, so it comes again; changes
that come in quick succession make one hook; a unit that is deployed late catches up.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from .state import Application, Event, Model, Relation, SeenRelation, Unit


def next_event(model: Model, unit: Unit) -> Event | None:
    """The next hook or action of a unit, None if it has nothing to do.

    The order is that of Juju's agent: a failed hook first, then relation-created, leadership,
    actions, commands, storage, life cycle, relations, secrets, and update-status if nothing else
    is to be done.
    """
    if unit.stopped or unit.lost:
        return None
    if unit.failed:
        # Actions and commands run even while a hook waits for a person.
        return next(chain(_actions(unit), _commands(unit)), unit.failed)
    app = model.applications[unit.app]
    if not unit.alive:
        return next(chain(_commands(unit), _dying(model, unit)), None)
    return next(_alive(model, app, unit), None)


def _alive(  # noqa: C901 - one branch for each rule of the order
    model: Model, app: Application, unit: Unit
) -> Iterator[Event]:
    for storage_id in sorted(unit.storages):
        if storage_id not in unit.attached:
            name = storage_id.partition("/")[0]
            yield Event("storage-attached", f"{name}-storage-attached", storage_id=storage_id)
    if not unit.installed:
        yield Event("install", "install")
    for relation in model.relations_of(unit.app):
        if relation.alive and not _seen(unit, relation).created:
            yield _relation_event("created", unit, relation)
    if app.leader == unit.name and not unit.elected:
        yield Event("leader-elected", "leader-elected")
    yield from _actions(unit)
    yield from _commands(unit)
    if unit.charm_seen != app.charm_version:
        yield Event("upgrade-charm", "upgrade-charm")
    if unit.config_seen != app.config_version or unit.upgraded:
        yield Event("config-changed", "config-changed")
    if not unit.started:
        yield Event("start", "start")
    for relation in model.relations_of(unit.app):
        yield from _relation(unit, relation, broken=not relation.alive)
    yield from _secrets(model, unit)
    yield from unit.due
    if unit.update_status_due:
        yield Event("update-status", "update-status")


def _actions(unit: Unit) -> Iterator[Event]:
    if unit.started:
        for task in unit.tasks:
            if not task.finished:
                yield Event("action", "", task_id=task.id)


def _commands(unit: Unit) -> Iterator[Event]:
    for command in unit.commands:
        yield Event("run-commands", "", command_id=command.id)


def _dying(model: Model, unit: Unit) -> Iterator[Event]:
    for relation in model.relations_of(unit.app):
        yield from _relation(unit, relation, broken=True)
    if unit.started:
        yield Event("stop", "stop")
    for storage_id in sorted(unit.attached):
        name = storage_id.partition("/")[0]
        yield Event("storage-detaching", f"{name}-storage-detaching", storage_id=storage_id)
    if unit.installed:
        yield Event("remove", "remove")


def knows(unit: Unit, relation: Relation) -> bool:
    """Whether a unit has heard of a relation, or is hearing of it now."""
    hooks = [event for event in (unit.running, unit.failed) if event]
    is_new = any((e.kind, e.relation_id) == ("relation-created", relation.id) for e in hooks)
    return is_new or _seen(unit, relation).created


def _seen(unit: Unit, relation: Relation) -> SeenRelation:
    return unit.seen.get(relation.id) or SeenRelation()


def _relation_event(
    what: str, unit: Unit, relation: Relation, remote_unit: str = "", departing: str = ""
) -> Event:
    return Event(
        kind=f"relation-{what}",
        hook=f"{relation.endpoint(unit.app)}-relation-{what}",
        relation_id=relation.id,
        remote_app=remote_unit.partition("/")[0] or relation.other(unit.app).app,
        remote_unit=remote_unit,
        departing_unit=departing,
    )


def _relation(unit: Unit, relation: Relation, *, broken: bool) -> Iterator[Event]:
    """The next hook of one relation, in the order that Juju's relation resolver keeps."""
    seen = _seen(unit, relation)
    if not seen.created or seen.broken:
        return
    if seen.changed_pending:
        yield _relation_event("changed", unit, relation, seen.changed_pending)
    members = set[str]() if broken else relation.members_for(unit.name)
    for name in sorted(seen.members.keys() - members):
        departing = name if unit.alive else unit.name
        yield _relation_event("departed", unit, relation, name, departing)
    if broken:
        if not relation.is_peer:
            yield _relation_event("broken", unit, relation)
        return
    watched = relation.other(unit.app).app
    version = relation.app_version.get(watched, 0)
    if seen.apps.get(watched, 0) != version:
        yield _relation_event("changed", unit, relation)
    for name in sorted(members - seen.members.keys()):
        yield _relation_event("joined", unit, relation, name)
    for name in sorted(members):
        if relation.unit_version.get(name, 0) != seen.members.get(name):
            yield _relation_event("changed", unit, relation, name)


def _secrets(model: Model, unit: Unit) -> Iterator[Event]:
    for secret in model.secrets.values():
        consumer = secret.consumers.get(unit.name)
        noticed = unit.secrets_seen.get(secret.id, 0)
        if consumer and model.can_read(secret, unit.name) and noticed < secret.latest:
            yield Event("secret-changed", "secret-changed", secret_id=secret.id)
        owns = secret.owner == unit.name or (
            secret.owner == unit.app and model.is_leader(unit.name)
        )
        for revision in secret.obsolete() if owns else ():
            if (secret.id, revision) not in unit.removals_seen:
                yield Event(
                    "secret-remove",
                    "secret-remove",
                    secret_id=secret.id,
                    secret_revision=revision,
                )


def observe(model: Model, unit: Unit, event: Event) -> int:
    """The version of what an event is about, taken before its hook runs.

    What changes while the hook runs is newer than this and makes another hook.
    """
    if event.kind == "config-changed":
        return model.applications[unit.app].config_version
    if event.kind == "upgrade-charm":
        return model.applications[unit.app].charm_version
    if event.kind == "secret-changed":
        secret = model.secrets.get(event.secret_id)
        return secret.latest if secret else 0
    relation = model.relations.get(-1 if event.relation_id is None else event.relation_id)
    if relation is None:
        return 0
    if event.remote_unit:
        return relation.unit_version.get(event.remote_unit, 0)
    return relation.app_version.get(event.remote_app, 0)


def commit(  # noqa: C901, PLR0912 - one case for each kind of event
    model: Model, unit: Unit, event: Event, version: int
) -> None:
    """Note that a unit has run an event, about something that :func:`observe` saw."""
    match event.kind:
        case "install":
            unit.installed = True
        case "leader-elected":
            unit.elected = True
        case "upgrade-charm":
            unit.charm_seen = version
            unit.upgraded = True
        case "config-changed":
            unit.config_seen = version
            unit.upgraded = False
        case "start":
            unit.started = True
        case "stop":
            unit.started = False
        case "remove":
            unit.installed = False
        case "update-status":
            unit.update_status_due = False
        case "storage-attached":
            unit.attached.add(event.storage_id)
        case "storage-detaching":
            unit.attached.discard(event.storage_id)
        case "secret-changed":
            unit.secrets_seen[event.secret_id] = version
        case "secret-remove":
            unit.removals_seen.add((event.secret_id, event.secret_revision or 0))
        case _ if event.relation_id is not None:
            _commit_relation(model, unit, event, version)
        case _:
            if event in unit.due:
                unit.due.remove(event)


def _commit_relation(model: Model, unit: Unit, event: Event, version: int) -> None:
    relation = model.relations.get(-1 if event.relation_id is None else event.relation_id)
    if relation is None:
        return
    seen = unit.seen.setdefault(relation.id, SeenRelation())
    match event.kind:
        case "relation-created":
            seen.created = True
        case "relation-joined":
            seen.members[event.remote_unit] = -1
            seen.changed_pending = event.remote_unit
        case "relation-changed" if event.remote_unit:
            seen.members[event.remote_unit] = version
            seen.changed_pending = ""
        case "relation-changed":
            seen.apps[event.remote_app] = version
        case "relation-departed":
            seen.members.pop(event.remote_unit, None)
            if seen.changed_pending == event.remote_unit:
                seen.changed_pending = ""
        case "relation-broken":
            seen.broken = True
            relation.in_scope.discard(unit.name)
        case _:
            pass
