"""The hooks about relations that a unit has to run."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Event, Model, Relation, SeenRelation, Unit


def knows(unit: Unit, relation: Relation) -> bool:
    """Whether a unit has run relation-created of a relation, or runs it now."""
    hooks = [event for event in (unit.running, unit.failed) if event]
    is_new = any((e.kind, e.relation_id) == ("relation-created", relation.id) for e in hooks)
    return is_new or _seen(unit, relation).created


def created(model: Model, unit: Unit) -> Iterator[Event]:
    """relation-created of every relation that the unit does not know."""
    for relation in model.relations_of(unit.app):
        if relation.alive and not _seen(unit, relation).created:
            yield _event("created", unit, relation)


def changes(model: Model, unit: Unit) -> Iterator[Event]:
    """The further hooks of every relation, oldest relation first."""
    for relation in model.relations_of(unit.app):
        yield from _of_relation(unit, relation, broken=not relation.alive)


def departures(model: Model, unit: Unit) -> Iterator[Event]:
    """The hooks of a unit that leaves all its relations, oldest relation first."""
    for relation in model.relations_of(unit.app):
        yield from _of_relation(unit, relation, broken=True)


def _seen(unit: Unit, relation: Relation) -> SeenRelation:
    return unit.seen.get(relation.id) or SeenRelation()


def _event(
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


def _of_relation(unit: Unit, relation: Relation, *, broken: bool) -> Iterator[Event]:
    """The hooks of one relation, in the order of Juju's relation resolver."""
    seen = _seen(unit, relation)
    if not seen.created or seen.broken:
        return
    if seen.changed_pending:
        yield _event("changed", unit, relation, seen.changed_pending)
    members = set[str]() if broken else relation.members_for(unit.name)
    for name in sorted(seen.members.keys() - members):
        departing = name if unit.alive else unit.name
        yield _event("departed", unit, relation, name, departing)
    if not broken:
        yield from _of_members(unit, relation, seen, members)
    elif not relation.is_peer:
        yield _event("broken", unit, relation)


def _of_members(
    unit: Unit, relation: Relation, seen: SeenRelation, members: set[str]
) -> Iterator[Event]:
    """Changes of the other side: of its application, by units that join, of its units."""
    app = relation.other(unit.app).app
    if seen.apps.get(app, 0) != relation.app_version.get(app, 0):
        yield _event("changed", unit, relation)
    for name in sorted(members - seen.members.keys()):
        yield _event("joined", unit, relation, name)
    for name in sorted(members):
        if relation.unit_version.get(name, 0) != seen.members.get(name):
            yield _event("changed", unit, relation, name)
