"""All that a controller knows of a model."""

from __future__ import annotations

from dataclasses import dataclass, field

from .application import Application
from .relation import Relation
from .secret import Secret, secret_id
from .unit import Unit

JUJU_VERSION = "3.6.14"
"""The version of Juju whose behaviour is modelled."""


@dataclass
class Model:
    """A model.

    Attributes:
        name: Its name.
        uuid: Its UUID.
        subnet: What its units' addresses begin with.
        applications: By name.
        relations: By id.
        secrets: By id.
        next_relation: The id of the next relation.
        next_storage: The number of the next storage.
        next_task: The number of the last action.
        next_command: The number of the last command line of ``juju-exec``.
        next_machine: The number of the next machine.
        juju_version: The version that charms and clients are told.
        detached_storage: The directory of storage whose unit is gone, by its id.
    """

    name: str
    uuid: str
    subnet: str
    applications: dict[str, Application] = field(default_factory=dict[str, Application])
    relations: dict[int, Relation] = field(default_factory=dict[int, Relation])
    secrets: dict[str, Secret] = field(default_factory=dict[str, Secret])
    next_relation: int = 0
    next_storage: int = 0
    next_task: int = 0
    next_command: int = 0
    next_machine: int = 0
    juju_version: str = JUJU_VERSION
    detached_storage: dict[str, str] = field(default_factory=dict[str, str])

    def units(self) -> list[Unit]:
        """All units, in the order of their names."""
        return [
            app.units[name]
            for _, app in sorted(self.applications.items())
            for name in sorted(app.units, key=lambda n: app.units[n].number)
        ]

    def unit(self, name: str) -> Unit | None:
        """A unit by name."""
        app = self.applications.get(name.partition("/")[0])
        return app.units.get(name) if app else None

    def is_leader(self, unit: str) -> bool:
        """Whether a unit leads its application."""
        app = self.applications.get(unit.partition("/")[0])
        return app is not None and app.leader == unit

    def relations_of(self, app: str) -> list[Relation]:
        """The relations that an application takes part in, oldest first."""
        return [r for _, r in sorted(self.relations.items()) if r.end(app)]

    def can_read(self, secret: Secret, unit: str) -> bool:
        """Whether a unit may read a secret."""
        app = unit.partition("/")[0]
        return secret.owner in {app, unit} or app in secret.grants or unit in secret.grants

    def find_secret(self, uri: str) -> Secret | None:
        """A secret by URI, in any of the forms that Juju accepts."""
        return self.secrets.get(secret_id(uri))
