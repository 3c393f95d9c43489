"""A model at one moment, as frozen records that do not change while the model goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .charm import EndpointSpec
from .errors import LocalJujuError
from .model import Application, Event, Model, Relation, Secret, Unit, secret_id


@dataclass(frozen=True)
class UnitSnapshot:
    """A unit.

    Attributes:
        name: Such as ``valkey/0``.
        address: Its loopback address.
        is_leader: Whether it leads its application.
        is_dying: Whether it is being removed.
        is_lost: Whether its machine is lost (``Juju.lose``).
        running: The hook or action that it runs now.
        failed: The hook that failed and waits for its next attempt.
    """

    name: str
    address: str
    is_leader: bool
    is_dying: bool
    is_lost: bool
    running: Event | None
    failed: Event | None


@dataclass(frozen=True)
class ApplicationSnapshot:
    """An application.

    Attributes:
        name: Its name in the model.
        endpoints: The endpoints of its charm, by name.
        units: Its units, by number.
        leader: The name of the unit that leads; empty if none does.
        is_dying: Whether it is being removed.
    """

    name: str
    endpoints: Mapping[str, EndpointSpec]
    units: tuple[UnitSnapshot, ...]
    leader: str
    is_dying: bool


@dataclass(frozen=True)
class RelationSnapshot:
    """A relation with its databags.

    Attributes:
        id: Its number.
        interface: Such as ``valkey_client``.
        endpoints: The endpoint of each application that takes part.
        is_dying: Whether it is being removed.
        databags: Of every application and unit that takes part; a peer relation has one side.
    """

    id: int
    interface: str
    endpoints: Mapping[str, str]
    is_dying: bool
    databags: Mapping[str, Mapping[str, str]]

    @property
    def is_peer(self) -> bool:
        """Whether it relates the units of one application."""
        return len(self.endpoints) == 1


@dataclass(frozen=True)
class SecretSnapshot:
    """A secret.

    Attributes:
        uri: As charms name it, such as ``secret:d0erdvq...``.
        owner: The application or unit that owns it; ``<model>`` for a secret of the model's user.
        label: The owner's label.
        revision: The number of its latest revision.
        content: Of the latest revision.
        tracked: The revision that each consumer, a unit, has read.
    """

    uri: str
    owner: str
    label: str
    revision: int
    content: Mapping[str, str]
    tracked: Mapping[str, int]


@dataclass(frozen=True)
class Snapshot:
    """All of a model, read together.

    Attributes:
        applications: By name.
        relations: By id, oldest first.
        secrets: In the order in which they were created.
    """

    applications: Mapping[str, ApplicationSnapshot]
    relations: Mapping[int, RelationSnapshot]
    secrets: tuple[SecretSnapshot, ...]

    def application(self, name: str) -> ApplicationSnapshot:
        """The application of that name.

        Raises:
            LocalJujuError: If there is none.
        """
        if name not in self.applications:
            raise LocalJujuError(f"there is no application {name}")
        return self.applications[name]

    def units(self, app: str) -> tuple[UnitSnapshot, ...]:
        """The units of an application, by number.

        Raises:
            LocalJujuError: If there is no such application.
        """
        return self.application(app).units

    def unit(self, name: str) -> UnitSnapshot | None:
        """The unit of that name, None if there is none."""
        app = self.applications.get(name.partition("/")[0])
        units = app.units if app else ()
        return next((unit for unit in units if unit.name == name), None)

    def leader(self, app: str) -> str:
        """The name of the unit that leads an application; empty if none does.

        Raises:
            LocalJujuError: If there is no such application.
        """
        return self.application(app).leader

    def relations_of(self, app: str) -> tuple[RelationSnapshot, ...]:
        """The relations that an application takes part in, its peer relations among them."""
        return tuple(r for r in self.relations.values() if app in r.endpoints)

    def secret(self, uri_or_label: str) -> SecretSnapshot | None:
        """The secret of that URI or label, None if there is none."""
        identifier = secret_id(uri_or_label)
        matches = (s for s in self.secrets if secret_id(s.uri) == identifier)
        labelled = (s for s in self.secrets if s.label == uri_or_label)
        return next(matches, None) or next(labelled, None)


def take_snapshot(model: Model) -> Snapshot:
    """Copy a model; the caller holds its lock."""
    return Snapshot(
        {name: _application(app) for name, app in model.applications.items()},
        {number: _relation(relation) for number, relation in sorted(model.relations.items())},
        tuple(_secret(secret) for secret in model.secrets.values()),
    )


def _application(app: Application) -> ApplicationSnapshot:
    units = sorted(app.units.values(), key=lambda unit: unit.number)
    return ApplicationSnapshot(
        app.name,
        app.charm.endpoints,
        tuple(_unit(unit, is_leader=unit.name == app.leader) for unit in units),
        app.leader,
        is_dying=not app.alive,
    )


def _unit(unit: Unit, *, is_leader: bool) -> UnitSnapshot:
    return UnitSnapshot(
        unit.name,
        unit.address,
        is_leader,
        is_dying=not unit.alive,
        is_lost=unit.lost,
        running=unit.running,
        failed=unit.failed,
    )


def _relation(relation: Relation) -> RelationSnapshot:
    databags = {**relation.app_data, **relation.unit_data}
    return RelationSnapshot(
        relation.id,
        relation.interface,
        {end.app: end.endpoint for end in relation.ends},
        is_dying=not relation.alive,
        databags={owner: dict(databag) for owner, databag in databags.items()},
    )


def _secret(secret: Secret) -> SecretSnapshot:
    latest = secret.revisions.get(secret.latest)
    return SecretSnapshot(
        secret.uri,
        secret.owner,
        secret.label,
        secret.latest,
        dict(latest.content) if latest else {},
        {unit: consumer.tracked for unit, consumer in secret.consumers.items()},
    )
