"""How far a unit's agent has come: what it has run, and which versions it has seen."""

from __future__ import annotations

from ..model import Event, Model, SeenRelation, Unit


def version_of(model: Model, unit: Unit, event: Event) -> int:
    """The version of what an event is about, to be read before its hook runs.

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


def record(  # noqa: C901, PLR0912 - one case for each kind of event
    model: Model, unit: Unit, event: Event, version: int
) -> None:
    """Note that a unit has run a hook.

    Args:
        model: The model.
        unit: The unit.
        event: What the hook was about.
        version: The version of that, as :func:`version_of` read it before the hook ran.
    """
    if event in unit.due:
        unit.due.remove(event)
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
            _record_relation(model, unit, event, version)
        case _:
            pass


def _record_relation(model: Model, unit: Unit, event: Event, version: int) -> None:
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
