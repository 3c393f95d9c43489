"""The hooks about secrets that a unit has to run."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Event, Model, Secret, Unit


def changes(model: Model, unit: Unit) -> Iterator[Event]:
    """secret-changed and secret-remove, secret by secret."""
    for secret in model.secrets.values():
        yield from _changed(model, unit, secret)
        yield from _obsolete(model, unit, secret)


def _changed(model: Model, unit: Unit, secret: Secret) -> Iterator[Event]:
    """secret-changed, for a consumer that was not told of the latest revision."""
    consumer = secret.consumers.get(unit.name)
    revision_told = unit.secrets_seen.get(secret.id, 0)
    if consumer and model.can_read(secret, unit.name) and revision_told < secret.latest:
        yield Event("secret-changed", "secret-changed", secret_id=secret.id)


def _obsolete(model: Model, unit: Unit, secret: Secret) -> Iterator[Event]:
    """secret-remove of each revision that nobody tracks, for the owner or its leader."""
    is_owner = secret.owner == unit.name or (
        secret.owner == unit.app and model.is_leader(unit.name)
    )
    for revision in secret.obsolete() if is_owner else ():
        if (secret.id, revision) not in unit.removals_seen:
            yield Event(
                "secret-remove", "secret-remove", secret_id=secret.id, secret_revision=revision
            )
