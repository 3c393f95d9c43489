"""The model: what a controller would know, as plain data."""

from __future__ import annotations

import datetime
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

from .charm import CharmSpec

JUJU_VERSION = "3.6.14"
"""The version of Juju whose behaviour is modelled."""

_XID = string.digits + string.ascii_lowercase[:22]


def now() -> str:
    """The time as Juju writes it."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


@dataclass
class Status:
    """A workload's or application's status."""

    status: str = "unknown"
    message: str = ""
    since: str = field(default_factory=now)


@dataclass(frozen=True)
class Event:
    """One hook or action that a unit has to run.

    Attributes:
        kind: What happened, such as ``relation-changed``.
        hook: The name of the hook, such as ``valkey-relation-changed``.
    """

    kind: str
    hook: str
    relation_id: int | None = None
    remote_app: str = ""
    remote_unit: str = ""
    departing_unit: str = ""
    secret_id: str = ""
    secret_revision: int | None = None
    storage_id: str = ""
    workload: str = ""
    task_id: str = ""
    command_id: str = ""

    def __str__(self) -> str:
        words = [self.hook or self.kind]
        if self.relation_id is not None:
            other = self.remote_unit or self.remote_app
            words.append(f"({self.relation_id}{' ' + other if other else ''})")
        if self.secret_revision is not None:
            words.append(f"(revision {self.secret_revision})")
        return " ".join(words)


@dataclass
class SeenRelation:
    """What a unit has seen of a relation; the difference to the model is its next hook."""

    created: bool = False
    broken: bool = False
    members: dict[str, int] = field(default_factory=dict[str, int])
    apps: dict[str, int] = field(default_factory=dict[str, int])
    changed_pending: str = ""


@dataclass
class Task:
    """An action that was asked for."""

    id: str
    unit: str
    action: str
    parameters: dict[str, Any]
    status: str = "pending"
    message: str = ""
    results: dict[str, Any] = field(default_factory=dict[str, Any])
    log: list[str] = field(default_factory=list[str])
    return_code: int = 0
    finished: bool = False


@dataclass
class Command:
    """A command line that a process outside of a hook wants run in a hook's context."""

    id: str
    text: str
    code: int = 1
    out: str = ""
    err: str = ""
    finished: bool = False


@dataclass
class Unit:
    """One unit, and what its agent has done so far."""

    name: str
    address: str
    machine: str
    alive: bool = True
    installed: bool = False
    started: bool = False
    stopped: bool = False
    elected: bool = False
    config_seen: int = -1
    charm_seen: int = 0
    upgraded: bool = False
    update_status_due: bool = False
    workload: Status = field(default_factory=lambda: Status("waiting", "installing agent"))
    workload_version: str = ""
    ports: set[str] = field(default_factory=set[str])
    seen: dict[int, SeenRelation] = field(default_factory=dict[int, SeenRelation])
    secrets_seen: dict[str, int] = field(default_factory=dict[str, int])
    removals_seen: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    due: list[Event] = field(default_factory=list[Event])
    storages: dict[str, str] = field(default_factory=dict[str, str])
    attached: set[str] = field(default_factory=set[str])
    state: dict[str, str] = field(default_factory=dict[str, str])
    tasks: list[Task] = field(default_factory=list[Task])
    commands: list[Command] = field(default_factory=list[Command])
    lost: bool = False
    failed: Event | None = None
    failures: int = 0
    retry_at: float = 0.0
    running: Event | None = None

    @property
    def app(self) -> str:
        """The name of its application."""
        return self.name.partition("/")[0]

    @property
    def number(self) -> int:
        """The number behind the slash."""
        return int(self.name.partition("/")[2])


@dataclass
class Application:
    """One application."""

    name: str
    charm: CharmSpec
    charm_version: int = 0
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    config_version: int = 0
    units: dict[str, Unit] = field(default_factory=dict[str, Unit])
    next_unit: int = 0
    leader: str = ""
    status: Status = field(default_factory=Status)
    trusted: bool = False
    alive: bool = True


@dataclass
class RelationEnd:
    """One side of a relation."""

    app: str
    endpoint: str


@dataclass
class Relation:
    """A relation and its databags."""

    id: int
    interface: str
    ends: tuple[RelationEnd, ...]
    alive: bool = True
    app_data: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    app_version: dict[str, int] = field(default_factory=dict[str, int])
    unit_data: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    unit_version: dict[str, int] = field(default_factory=dict[str, int])
    in_scope: set[str] = field(default_factory=set[str])

    @property
    def is_peer(self) -> bool:
        """Whether it relates the units of one application."""
        return len(self.ends) == 1

    def end(self, app: str) -> RelationEnd | None:
        """The side of an application."""
        return next((end for end in self.ends if end.app == app), None)

    def other(self, app: str) -> RelationEnd:
        """The side that an application looks at: its own, in a peer relation."""
        return next((end for end in self.ends if end.app != app), self.ends[0])

    def endpoint(self, app: str) -> str:
        """What an application calls this relation."""
        end = self.end(app)
        return end.endpoint if end else ""

    def members_for(self, unit: str) -> set[str]:
        """The units that a unit sees."""
        app = unit.partition("/")[0]
        other = self.other(app).app
        return {u for u in self.in_scope if u.partition("/")[0] == other and u != unit}

    def __str__(self) -> str:
        return " ".join(f"{end.app}:{end.endpoint}" for end in self.ends)


@dataclass
class SecretRevision:
    """One revision of a secret."""

    content: dict[str, str]
    created: str = field(default_factory=now)


@dataclass
class SecretConsumer:
    """A unit that has read a secret."""

    tracked: int
    label: str = ""


@dataclass
class Secret:
    """A secret, who owns it and who has read it."""

    id: str
    owner: str
    label: str = ""
    description: str = ""
    rotate: str = ""
    expire: str = ""
    name: str = ""
    created: str = field(default_factory=now)
    revisions: dict[int, SecretRevision] = field(default_factory=dict[int, SecretRevision])
    latest: int = 0
    grants: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    consumers: dict[str, SecretConsumer] = field(default_factory=dict[str, SecretConsumer])

    @property
    def uri(self) -> str:
        """How charms name it."""
        return f"secret:{self.id}"

    @property
    def owner_app(self) -> str:
        """The application that owns it, itself or through a unit."""
        return self.owner.partition("/")[0]

    def obsolete(self) -> list[int]:
        """Revisions that nobody tracks and that are not the latest."""
        tracked = {consumer.tracked for consumer in self.consumers.values()}
        return [r for r in sorted(self.revisions) if r != self.latest and r not in tracked]


@dataclass
class Model:
    """Everything."""

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


def secret_id(uri: str) -> str:
    """``secret:ID`` and ``secret://MODEL/ID`` alike name ID."""
    return uri.rpartition("/")[2].rpartition(":")[2]


def new_secret_id() -> str:
    """Twenty characters, as in Juju."""
    return "".join(secrets.choice(_XID) for _ in range(20))
