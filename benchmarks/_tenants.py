"""Requirers that run no charm, so that a model can hold a thousand of them.

Each is an application with one unit whose machine is gone. What it would have written stands
in its databag, and the hooks of the provider that it would have caused count as run or as due.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from _charms import EMPTY, settle

from localjuju import Juju
from localjuju.charm import CharmSpec
from localjuju.state import Application, Relation, RelationEnd, SeenRelation, Unit

ENDPOINT = "valkey-client"


def v1_bag(prefixes: Sequence[str]) -> dict[str, str]:
    """What a v1 requirer asks with."""
    requests: list[dict[str, str]] = []
    for prefix in prefixes:
        salt = hashlib.sha256(prefix.encode()).hexdigest()[:16]
        identifier = hashlib.sha256(f"{prefix}:{salt}".encode()).hexdigest()[:16]
        requests.append({"resource": prefix, "request-id": identifier, "salt": salt})
    return {"version": "v1", "requests": json.dumps(requests)}


def v0_bag(prefix: str) -> dict[str, str]:
    """What a v0 requirer asks with."""
    secrets = json.dumps(["username", "password", "tls", "tls-ca"])
    return {"database": prefix, "requested-secrets": secrets}


class Tenants:
    """The requirers of one provider.

    Args:
        juju: The model.
        provider: The provider's application, deployed.
    """

    def __init__(self, juju: Juju, provider: str):
        self._juju = juju
        self._provider = provider
        self._spec = CharmSpec.load(EMPTY, juju.directory / "unused")

    def add(self, bag: Mapping[str, str], *, seen: bool = False) -> Relation:
        """Add a requirer that asks with this databag.

        Args:
            bag: Its application databag.
            seen: Whether the provider's units have run their hooks about it; else those that
                follow relation-created are due.
        """
        model, engine = self._juju.engine.model, self._juju.engine
        with engine.lock:
            number = model.next_relation
            model.next_relation += 1
            name = f"tenant{number}"
            unit = Unit(f"{name}/0", f"198.51.100.{number % 250 + 1}", "", lost=True)
            model.applications[name] = Application(
                name, self._spec, units={unit.name: unit}, leader=unit.name
            )
            relation = Relation(
                number,
                "valkey_client",
                (RelationEnd(self._provider, ENDPOINT), RelationEnd(name, "valkey")),
                app_data={name: dict(bag)},
                app_version={name: 1},
                unit_data={unit.name: {"ingress-address": unit.address}},
                unit_version={unit.name: 1},
                in_scope={unit.name},
            )
            for own in model.applications[self._provider].units.values():
                relation.in_scope.add(own.name)
                relation.unit_data[own.name] = {"ingress-address": own.address}
                relation.unit_version[own.name] = 1
                own.seen[number] = (
                    SeenRelation(created=True, members={unit.name: 1}, apps={name: 1})
                    if seen
                    else SeenRelation(created=True)
                )
            model.relations[number] = relation
            engine.changed.notify_all()
        return relation

    def ask(self, relation: Relation, bag: Mapping[str, str]) -> None:
        """Let a requirer ask for something else."""
        with self._juju.engine.lock:
            name = relation.other(self._provider).app
            relation.app_data[name] = dict(bag)
            relation.app_version[name] += 1
            self._juju.engine.changed.notify_all()

    def touch(self, relation: Relation) -> None:
        """Let a requirer's unit write something that says nothing."""
        with self._juju.engine.lock:
            unit = f"{relation.other(self._provider).app}/0"
            relation.unit_version[unit] += 1
            relation.unit_data[unit]["note"] = str(relation.unit_version[unit])
            self._juju.engine.changed.notify_all()

    def leave(self, relation: Relation) -> None:
        """Remove a relation."""
        with self._juju.engine.lock:
            relation.in_scope.discard(f"{relation.other(self._provider).app}/0")
        self._juju.engine.controller.drop_relation(relation)

    def serve_all(self) -> None:
        """Let the provider's leader look at every relation, and wait until it has."""
        with self._juju.engine.lock:
            app = self._juju.engine.model.applications[self._provider]
            app.units[app.leader].elected = False
            self._juju.engine.changed.notify_all()
        settle(self._juju)
