"""What Juju's controller does to a model: units come and go, one leads, relations end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import resolver
from .leadership import Leadership
from .model import Application, Model, Relation, Secret, Unit
from .subnet import Subnet, host_network
from .timeline import Timeline


@dataclass(frozen=True)
class Controller:
    """Changes a model; what units have to do about it is for their next hooks.

    Attributes:
        model: The model.
        changed: Guards the model, and is told of every change.
        timeline: Where changes are noted.
        leadership: Elects leaders.
        storage: The directory for the storage of units.
        subnet: Where units get their addresses.
        forget: Called with the name of an application that is gone.
    """

    model: Model
    changed: threading.Condition
    timeline: Timeline
    leadership: Leadership
    storage: Path
    subnet: Subnet
    forget: Callable[[str], None]

    def add_unit(self, app: Application, storage: Mapping[str, str] | None = None) -> Unit:
        """Add a unit with an address, a machine and storage of its own."""
        name = f"{app.name}/{app.next_unit}"
        app.next_unit += 1
        machine = self.model.next_machine
        self.model.next_machine += 1
        address = self.subnet.address(machine)
        unit = Unit(name, address, str(machine), charm_seen=app.charm_version)
        unit.storages = self._storages(app, storage or {})
        app.units[name] = unit
        if not app.leader:
            self.leadership.elect(app)
        self.timeline.add("model", name, f"unit added on {address}")
        return unit

    def change_address(self, unit: Unit) -> str:
        """Give a unit's machine another address, and have its charm told by config-changed."""
        with self.changed:
            unit.address = self.subnet.address(self.model.next_machine)
            self.model.next_machine += 1
            unit.config_seen = -1
            for relation in self.model.relations_of(unit.app):
                if unit.name in relation.unit_data:
                    relation.unit_data[unit.name] |= _network_settings(unit)
                    relation.unit_version[unit.name] += 1
            self.timeline.add("model", unit.name, f"address is {unit.address}")
            self.changed.notify_all()
            return unit.address

    def _storages(self, app: Application, attached: Mapping[str, str]) -> dict[str, str]:
        """The storage of a new unit: what is attached to it, and new ones up to the minimum."""
        storages = dict(attached)
        for spec in app.charm.storages:
            existing = [s for s in storages if s.partition("/")[0] == spec.name]
            for _ in range(spec.minimum - len(existing)):
                identifier = f"{spec.name}/{self.model.next_storage}"
                self.model.next_storage += 1
                location = self.storage / identifier.replace("/", "-")
                location.mkdir(parents=True)
                storages[identifier] = str(location)
        return storages

    def remove_relation_if_left(self, relation: Relation) -> None:
        """Remove a dying relation once no unit is part of it."""
        if relation.alive or any(unit.name in relation.in_scope for unit in self.model.units()):
            return
        if self.model.relations.pop(relation.id, None) is None:
            return
        for secret in self.model.secrets.values():
            _revoke_for(secret, relation)
        self.timeline.add("model", str(relation), "relation removed")

    def begin_relation_removal(self, relation: Relation) -> None:
        """Begin the end of a relation."""
        with self.changed:
            relation.alive = False
            for unit in self.model.units():
                # It entered with all the others, and will not hear of one that ends.
                if not resolver.knows(unit, relation):
                    relation.in_scope.discard(unit.name)
            self.remove_relation_if_left(relation)
            self.changed.notify_all()

    def remove_unit(self, unit: Unit) -> None:
        """Remove a unit whose last hook has run."""
        app = self.model.applications[unit.app]
        del app.units[unit.name]
        for relation in list(self.model.relations.values()):
            relation.in_scope.discard(unit.name)
            self.remove_relation_if_left(relation)
        for secret in list(self.model.secrets.values()):
            secret.consumers.pop(unit.name, None)
            if secret.owner == unit.name:
                del self.model.secrets[secret.id]
        self.model.detached_storage.update(unit.storages)
        self.timeline.add("model", unit.name, "unit removed")
        if app.leader == unit.name:
            app.leader = ""
            self.leadership.elect(app)
        if not app.alive and not app.units:
            self.remove_application(app)
        self.changed.notify_all()

    def remove_application(self, app: Application) -> None:
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
                relation.unit_data[unit.name] = _network_settings(unit)
                relation.unit_version[unit.name] = 1


def _network_settings(unit: Unit) -> dict[str, str]:
    """What Juju itself writes into a unit's databag."""
    return {
        "egress-subnets": host_network(unit.address),
        "ingress-address": unit.address,
        "private-address": unit.address,
    }


def _revoke_for(secret: Secret, relation: Relation) -> None:
    """Take a secret from those who could read it because of a relation."""
    revoked = {target for target, scope in secret.grants.items() if scope == relation.id}
    for target in revoked:
        del secret.grants[target]
    secret.consumers = {
        unit: consumer
        for unit, consumer in secret.consumers.items()
        if unit.partition("/")[0] not in revoked
    }
