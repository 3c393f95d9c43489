"""What Juju's controller does to a model: units come and go, one leads, relations end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import resolver
from .state import Application, Model, Relation, Unit
from .subnet import Subnet
from .timeline import Timeline


@dataclass(frozen=True)
class Controller:
    """Changes a model; what units have to do about it is for their next hooks.

    Attributes:
        model: The model.
        changed: Guards the model, and is told of every change.
        timeline: Where changes are noted.
        storage: The directory for the storage of units.
        subnet: Where units get their addresses.
        forget: Called with the name of an application that is gone.
    """

    model: Model
    changed: threading.Condition
    timeline: Timeline
    storage: Path
    subnet: Subnet
    forget: Callable[[str], None]

    def elect(self, app: Application, unit: str = "") -> None:
        """Give an application a leader: the given unit, or the oldest that is not dying."""
        with self.changed:
            alive = sorted(
                (u for u in app.units.values() if u.alive and not u.lost), key=lambda u: u.number
            )
            candidates = [u.name for u in alive] or sorted(app.units)
            chosen = unit or (candidates[0] if candidates else "")
            if app.leader in app.units:
                app.units[app.leader].elected = False
            app.leader = chosen
            if chosen:
                self.timeline.add("leader", app.name, chosen)
            self.changed.notify_all()

    def add_unit(self, app: Application, storage: Mapping[str, str] | None = None) -> Unit:
        """Add a unit with an address, a machine and storage of its own."""
        name = f"{app.name}/{app.next_unit}"
        app.next_unit += 1
        machine = self.model.next_machine
        self.model.next_machine += 1
        address = self.subnet.address(machine)
        unit = Unit(name, address, str(machine), charm_seen=app.charm_version)
        attached = dict(storage or {})
        for spec in app.charm.storages:
            have = [s for s in attached if s.partition("/")[0] == spec.name]
            for _ in range(spec.minimum - len(have)):
                identifier = f"{spec.name}/{self.model.next_storage}"
                self.model.next_storage += 1
                location = self.storage / identifier.replace("/", "-")
                location.mkdir(parents=True)
                attached[identifier] = str(location)
        unit.storages = attached
        app.units[name] = unit
        if not app.leader:
            self.elect(app)
        self.timeline.add("model", name, f"unit added on {address}")
        return unit

    def end_if_over(self, relation: Relation) -> None:
        """Remove a dying relation that no unit is part of any more."""
        if relation.alive or any(unit.name in relation.in_scope for unit in self.model.units()):
            return
        if self.model.relations.pop(relation.id, None) is None:
            return
        for secret in self.model.secrets.values():
            gone = {target for target, scope in secret.grants.items() if scope == relation.id}
            for target in gone:
                del secret.grants[target]
            secret.consumers = {
                u: c for u, c in secret.consumers.items() if u.partition("/")[0] not in gone
            }
        self.timeline.add("model", str(relation), "relation removed")

    def drop_relation(self, relation: Relation) -> None:
        """Begin the end of a relation."""
        with self.changed:
            relation.alive = False
            for unit in self.model.units():
                # It entered with all the others, and will not hear of one that ends.
                if not resolver.knows(unit, relation):
                    relation.in_scope.discard(unit.name)
            self.end_if_over(relation)
            self.changed.notify_all()

    def bury(self, unit: Unit) -> None:
        """Remove a unit whose last hook has run."""
        app = self.model.applications[unit.app]
        del app.units[unit.name]
        for relation in list(self.model.relations.values()):
            relation.in_scope.discard(unit.name)
            self.end_if_over(relation)
        for secret in list(self.model.secrets.values()):
            secret.consumers.pop(unit.name, None)
            if secret.owner == unit.name:
                del self.model.secrets[secret.id]
        self.model.detached_storage.update(unit.storages)
        self.timeline.add("model", unit.name, "unit removed")
        if app.leader == unit.name:
            app.leader = ""
            self.elect(app)
        if not app.alive and not app.units:
            self.remove_app(app)
        self.changed.notify_all()

    def remove_app(self, app: Application) -> None:
        """Remove an application that has no units any more."""
        for relation in self.model.relations_of(app.name):
            self.model.relations.pop(relation.id, None)
        for secret in [s for s in self.model.secrets.values() if s.owner == app.name]:
            del self.model.secrets[secret.id]
        del self.model.applications[app.name]
        self.forget(app.name)
        self.timeline.add("model", app.name, "application removed")

    def enter_relations(self, unit: Unit) -> None:
        """Let a unit's agent enter every relation that it knows of, at once."""
        for relation in self.model.relations_of(unit.app):
            seen = unit.seen.get(relation.id)
            if not relation.alive or (seen and seen.broken):
                continue
            relation.in_scope.add(unit.name)
            if unit.name not in relation.unit_data:
                relation.unit_data[unit.name] = {
                    "egress-subnets": f"{unit.address}/32",
                    "ingress-address": unit.address,
                    "private-address": unit.address,
                }
                relation.unit_version[unit.name] = 1
