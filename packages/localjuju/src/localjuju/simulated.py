"""Applications that run no charm: tests write what a charm would have written.

A model can hold a thousand of them, next to the few charms that a test or benchmark is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .charm import CharmSpec, EndpointSpec
from .engine import Engine
from .errors import LocalJujuError
from .model import (
    Application,
    Relation,
    RelationEnd,
    Secret,
    SecretRevision,
    SeenRelation,
    Unit,
    new_secret_id,
)

Seen = Literal["nothing", "created", "everything"]
"""The hooks about a relation that its other side's units have run already.

``created`` leaves relation-joined and relation-changed to be run; ``everything`` leaves none.
"""


class SimulatedApp:
    """An application with one unit, which leads it and whose hooks never run.

    Its databags are written by ``Juju.set_databag``. ``Juju.simulate`` makes one.
    """

    def __init__(self, engine: Engine, name: str, endpoint: EndpointSpec):
        self._engine = engine
        self.name = name
        self.endpoint = endpoint

    @property
    def unit(self) -> str:
        """The name of its only unit."""
        return f"{self.name}/0"

    def integrate(
        self, other: str, databag: Mapping[str, str] | None = None, *, seen: Seen = "nothing"
    ) -> int:
        """Relate it to an application that runs a charm.

        Args:
            other: An application and its endpoint, such as ``valkey:valkey-client``.
            databag: What this application has written to its application databag.
            seen: The hooks that the units of the other application have run about it.

        Returns:
            The id of the relation.

        Raises:
            LocalJujuError: If there is no such application.
        """
        app, _, endpoint = other.partition(":")
        with self._engine.lock:
            model = self._engine.model
            if app not in model.applications:
                raise LocalJujuError(f"there is no application {app}")
            relation = self._add_relation(RelationEnd(app, endpoint), databag)
            if seen != "nothing":
                for unit in model.applications[app].units.values():
                    self._enter(unit, relation, saw_everything=seen == "everything")
            self._engine.changed.notify_all()
        return relation.id

    def _add_relation(self, other: RelationEnd, databag: Mapping[str, str] | None) -> Relation:
        """Add a relation that only this application's unit has entered."""
        model = self._engine.model
        own = model.applications[self.name].units[self.unit]
        relation = Relation(
            model.next_relation,
            self.endpoint.interface,
            self._ends(other),
            unit_data={own.name: {"ingress-address": own.address}},
            unit_version={own.name: 1},
            in_scope={own.name},
        )
        if databag is not None:
            relation.app_data[self.name] = dict(databag)
            relation.app_version[self.name] = 1
        model.next_relation += 1
        model.relations[relation.id] = relation
        return relation

    def _ends(self, other: RelationEnd) -> tuple[RelationEnd, RelationEnd]:
        """The provider's side first, as ``juju integrate`` writes it."""
        own = RelationEnd(self.name, self.endpoint.name)
        return (own, other) if self.endpoint.role == "provides" else (other, own)

    def _enter(self, unit: Unit, relation: Relation, *, saw_everything: bool) -> None:
        """Let a unit of the other side be in the relation already."""
        relation.in_scope.add(unit.name)
        relation.unit_data[unit.name] = {"ingress-address": unit.address}
        relation.unit_version[unit.name] = 1
        seen = SeenRelation(created=True)
        if saw_everything:
            seen.members[self.unit] = 1
            seen.apps.update(relation.app_version)
        unit.seen[relation.id] = seen

    def remove_relation(self, relation_id: int) -> None:
        """Begin the removal of a relation; the other side's units run their hooks about it."""
        with self._engine.lock:
            relation = self._engine.model.relations[relation_id]
            relation.in_scope.discard(self.unit)
            self._engine.controller.begin_relation_removal(relation)

    def add_secret(self, content: Mapping[str, str], relation_id: int) -> str:
        """Create a secret that the other side of a relation may read.

        Returns:
            Its URI.
        """
        with self._engine.lock:
            model = self._engine.model
            consumer = model.relations[relation_id].other(self.name).app
            secret = Secret(
                new_secret_id(),
                self.name,
                revisions={1: SecretRevision(dict(content))},
                latest=1,
                grants={consumer: relation_id},
            )
            model.secrets[secret.id] = secret
            self._engine.changed.notify_all()
        return secret.uri

    def set_secret(self, uri: str, content: Mapping[str, str]) -> None:
        """Give a secret another revision.

        Raises:
            LocalJujuError: If there is no such secret.
        """
        with self._engine.lock:
            secret = self._engine.model.find_secret(uri)
            if secret is None:
                raise LocalJujuError(f"there is no secret {uri}")
            secret.latest += 1
            secret.revisions[secret.latest] = SecretRevision(dict(content))
            self._engine.changed.notify_all()


def add_simulated(engine: Engine, name: str, endpoint: EndpointSpec) -> SimulatedApp:
    """Add an application without a charm to a model.

    Raises:
        LocalJujuError: If an application of that name exists.
    """
    charm = CharmSpec(name, engine.root, {}, {}, {}, endpoints={endpoint.name: endpoint})
    with engine.lock:
        model = engine.model
        if name in model.applications:
            raise LocalJujuError(f"the application {name} exists already")
        number = len(model.applications)
        unit = Unit(f"{name}/0", f"198.51.100.{number % 250 + 1}", "", lost=True)
        model.applications[name] = Application(
            name, charm, units={unit.name: unit}, leader=unit.name
        )
    return SimulatedApp(engine, name, endpoint)
