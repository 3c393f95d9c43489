"""The hooks about storage that a unit has to run."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Event, Model, Unit


def attached(_: Model, unit: Unit) -> Iterator[Event]:
    """storage-attached of every storage of which the unit was not told."""
    for storage_id in sorted(unit.storages):
        if storage_id not in unit.attached:
            yield _event("attached", storage_id)


def detaching(_: Model, unit: Unit) -> Iterator[Event]:
    """storage-detaching of every storage of which the unit was told."""
    for storage_id in sorted(unit.attached):
        yield _event("detaching", storage_id)


def _event(what: str, storage_id: str) -> Event:
    name = storage_id.partition("/")[0]
    return Event(f"storage-{what}", f"{name}-storage-{what}", storage_id=storage_id)
