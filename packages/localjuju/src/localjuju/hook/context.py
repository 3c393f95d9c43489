"""One running hook: what it may read, and what it changes if it succeeds.

Writes to databags, secrets, ports, state and storage wait until the hook exits with 0 and are
dropped if it does not; a status is set at once, as in Juju.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import ToolError
from ..model import Event, Model, Relation, Status, Task, Unit
from ..timeline import Timeline
from .changes import merge
from .errors import DENIED, NOT_LEADER
from .secrets import HookSecrets


@dataclass
class Hook:
    """The context of one hook, action or command of ``juju-exec``.

    Attributes:
        model: The model.
        unit: The unit.
        event: What the hook is about.
        timeline: Where statuses are noted.
        task: The action, if it is one.
        databags: Changes of databags, by relation and owner.
        ports: The ports that are open afterwards; None if the hook changes none.
        state: Changes of the unit's state.
        calls: The hook commands that the hook has run.
        session: The process session of the hook; 0 before its first hook command.
        is_lost: Whether it was killed because its machine was lost.
        secrets: What it may read and has changed of secrets.
    """

    model: Model
    unit: Unit
    event: Event
    timeline: Timeline
    task: Task | None = None
    databags: dict[tuple[int, str], dict[str, str]] = field(
        default_factory=dict[tuple[int, str], dict[str, str]]
    )
    ports: set[str] | None = None
    state: dict[str, str] = field(default_factory=dict[str, str])
    calls: list[str] = field(default_factory=list[str])
    session: int = 0
    is_lost: bool = False
    secrets: HookSecrets = field(init=False)

    def __post_init__(self) -> None:
        self.secrets = HookSecrets(self.model, self.unit)

    @property
    def is_leader(self) -> bool:
        """Whether the unit leads."""
        return self.model.is_leader(self.unit.name)

    def relation(self, reference: str | None) -> Relation:
        """The relation that ``-r`` names, or the one that this hook is about."""
        if reference is None:
            if self.event.relation_id is None:
                raise ToolError("ERROR no relation id specified")
            reference = str(self.event.relation_id)
        endpoint, _, number = reference.rpartition(":")
        relation = self.model.relations.get(int(number)) if number.isdigit() else None
        if relation is None or not relation.end(self.unit.app):
            raise ToolError(f'ERROR invalid value "{reference}" for option -r: relation not found')
        if self.unit.name not in relation.in_scope:
            raise ToolError(f'ERROR invalid value "{reference}" for option -r: relation not found')
        if endpoint and relation.endpoint(self.unit.app) != endpoint:
            raise ToolError(f'ERROR invalid value "{reference}" for option -r: relation not found')
        return relation

    def relation_ids(self, endpoint: str) -> list[str]:
        """The relations on an endpoint."""
        return [
            f"{endpoint}:{relation.id}"
            for relation in self.model.relations_of(self.unit.app)
            if relation.endpoint(self.unit.app) == endpoint and self.unit.name in relation.in_scope
        ]

    def relation_list(self, relation: Relation) -> list[str]:
        """The units that this unit has joined and that have not departed."""
        seen = self.unit.seen.get(relation.id)
        members = set(seen.members) if seen else set[str]()
        if self.event.relation_id == relation.id and self.event.kind == "relation-joined":
            members.add(self.event.remote_unit)
        if self.event.relation_id == relation.id and self.event.kind == "relation-departed":
            members.discard(self.event.remote_unit)
        return sorted(members)

    def read_databag(self, relation: Relation, owner: str) -> dict[str, str]:
        """A databag as this hook sees it."""
        if "/" in owner:
            stored = relation.unit_data.get(owner, {})
            exists = self.model.unit(owner) is not None or owner in relation.unit_data
            if not exists or not relation.end(owner.partition("/")[0]):
                raise ToolError(f'ERROR cannot read settings for unit "{owner}": not found')
        else:
            if not relation.end(owner):
                raise ToolError(DENIED)
            own = owner == self.unit.app
            if own and not relation.is_peer and not self.is_leader:
                raise ToolError(DENIED)
            stored = relation.app_data.get(owner, {})
        return merge(stored, self.databags.get((relation.id, owner), {}))

    def write_databag(self, relation: Relation, owner: str, values: Mapping[str, str]) -> None:
        """Change this unit's, or as leader this application's, databag."""
        if "/" not in owner and not self.is_leader:
            raise ToolError(NOT_LEADER)
        self.databags.setdefault((relation.id, owner), {}).update(values)

    def set_status(self, status: str, message: str, *, of_app: bool) -> None:
        """Set the unit's or application's status."""
        if of_app and not self.is_leader:
            raise ToolError("ERROR this unit is not the leader")
        app = self.model.applications[self.unit.app]
        old = app.status if of_app else self.unit.workload
        if (old.status, old.message) != (status, message):
            new = Status(status, message)
            if of_app:
                app.status = new
            else:
                self.unit.workload = new
            subject = self.unit.app if of_app else self.unit.name
            self.timeline.add("status", subject, f"{status} {message}".strip())
