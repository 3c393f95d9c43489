"""One running hook: what it may see, and what it changes if it succeeds.

Writes to databags, secrets, ports, state and storage wait until the hook exits with 0 and are
dropped if it does not; a status is set at once, as in Juju.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import ToolError
from .state import (
    Event,
    Model,
    Relation,
    Secret,
    SecretConsumer,
    SecretRevision,
    SeenRelation,
    Status,
    Task,
    Unit,
    new_secret_id,
    secret_id,
)
from .timeline import Timeline, shorten

DENIED = "ERROR permission denied"
NOT_LEADER = "ERROR cannot write relation settings"
_SECRET_KEY = re.compile(r"[a-z](?:[a-z0-9]|-(?!$)){2,}\Z")


@dataclass
class SecretChange:
    """What a hook does to one secret."""

    content: dict[str, str] | None = None
    fields: dict[str, str] = field(default_factory=dict[str, str])
    grant: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    revoke: set[str] = field(default_factory=set[str])
    remove: bool = False
    remove_revisions: set[int] = field(default_factory=set[int])


@dataclass
class Hook:
    """The transaction of one hook or action."""

    model: Model
    unit: Unit
    event: Event
    timeline: Timeline
    task: Task | None = None
    databags: dict[tuple[int, str], dict[str, str]] = field(
        default_factory=dict[tuple[int, str], dict[str, str]]
    )
    created: dict[str, Secret] = field(default_factory=dict[str, Secret])
    secrets: dict[str, SecretChange] = field(default_factory=dict[str, SecretChange])
    ports: set[str] | None = None
    state: dict[str, str] = field(default_factory=dict[str, str])
    storage: dict[str, int] = field(default_factory=dict[str, int])
    calls: list[str] = field(default_factory=list[str])
    session: int = 0

    @property
    def is_leader(self) -> bool:
        """Whether the unit leads."""
        return self.model.is_leader(self.unit.name)

    # Relations.

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
            known = self.model.unit(owner) is not None or owner in relation.unit_data
            if not known or not relation.end(owner.partition("/")[0]):
                raise ToolError(f'ERROR cannot read settings for unit "{owner}": not found')
        else:
            if not relation.end(owner):
                raise ToolError(DENIED)
            own = owner == self.unit.app
            if own and not relation.is_peer and not self.is_leader:
                raise ToolError(DENIED)
            stored = relation.app_data.get(owner, {})
        return _apply(stored, self.databags.get((relation.id, owner), {}))

    def write_databag(self, relation: Relation, owner: str, values: Mapping[str, str]) -> None:
        """Change this unit's, or as leader this application's, databag."""
        if "/" not in owner and not self.is_leader:
            raise ToolError(NOT_LEADER)
        self.databags.setdefault((relation.id, owner), {}).update(values)

    # Secrets.

    def find_secret(self, uri: str = "", label: str = "") -> Secret:
        """A secret that this unit owns, or that its application owns."""
        if uri:
            identifier = secret_id(uri)
            named = self.created.get(identifier) or self.model.secrets.get(identifier)
            if named is not None and not self._is_removed(named):
                return named
        elif label:
            for secret in self._present():
                consumer = secret.consumers.get(self.unit.name)
                own = secret.owner in {self.unit.name, self.unit.app}
                if own and self._label(secret) == label:
                    return secret
                if consumer and consumer.label == label:
                    return secret
        raise ToolError(f'ERROR secret "{uri or label}" not found')

    def _present(self) -> Iterator[Secret]:
        """Every secret that this hook has not removed."""
        for secret in (*self.created.values(), *self.model.secrets.values()):
            if not self._is_removed(secret):
                yield secret

    def _is_removed(self, secret: Secret) -> bool:
        change = self.secrets.get(secret.id)
        return change is not None and change.remove

    def owned_secret(self, uri: str = "", label: str = "") -> Secret:
        """A secret that this unit may change."""
        secret = self.find_secret(uri, label)
        if secret.owner == self.unit.app:
            if not self.is_leader:
                # Only the leader is told what the application owns.
                raise ToolError(f'ERROR secret "{uri or label}" not found')
        elif secret.owner != self.unit.name:
            raise ToolError(f'ERROR secret "{uri or label}" not found')
        return secret

    def _label(self, secret: Secret) -> str:
        change = self.secrets.get(secret.id)
        return change.fields.get("label", secret.label) if change else secret.label

    def change(self, secret: Secret) -> SecretChange:
        """What this hook does to a secret."""
        return self.secrets.setdefault(secret.id, SecretChange())

    def add_secret(self, content: dict[str, str], owner: str, fields: dict[str, str]) -> str:
        """Create a secret; a later change in this hook goes into its first revision."""
        _check_content(content)
        if owner == "application" and not self.is_leader:
            raise ToolError("ERROR this unit is not the leader")
        name = self.unit.app if owner == "application" else self.unit.name
        label = fields.get("label", "")
        if label and any(s.owner == name and self._label(s) == label for s in self._present()):
            raise ToolError(f'ERROR secret with label "{label}" already exists')
        secret = Secret(new_secret_id(), name)
        for key, value in fields.items():
            setattr(secret, key, value)
        secret.revisions[1] = SecretRevision(dict(content))
        secret.latest = 1
        self.created[secret.id] = secret
        return secret.uri

    def set_secret(self, secret: Secret, content: dict[str, str], fields: dict[str, str]) -> None:
        """Change a secret: at most one revision a hook, none if nothing differs."""
        if content:
            _check_content(content)
        if secret.id in self.created:
            if content:
                secret.revisions[1] = SecretRevision(dict(content))
            for key, value in fields.items():
                setattr(secret, key, value)
            return
        change = self.change(secret)
        if content:
            change.content = dict(content)
        change.fields.update(fields)

    def grant_secret(self, secret: Secret, relation: Relation, unit: str = "") -> None:
        """Let the other side of a relation read a secret."""
        target = unit or relation.other(self.unit.app).app
        self.change(secret).revoke.discard(target)
        self.change(secret).grant[target] = relation.id

    def revoke_secret(self, secret: Secret, target: str) -> None:
        """Take that back."""
        self.change(secret).grant.pop(target, None)
        self.change(secret).revoke.add(target)

    def remove_secret(self, secret: Secret, revision: int | None) -> None:
        """Remove a secret or one revision of it."""
        if revision is None:
            if self.created.pop(secret.id, None) is None:
                self.change(secret).remove = True
        elif revision not in secret.revisions:
            raise ToolError(f'ERROR secret "{secret.uri}" revision {revision} not found')
        else:
            self.change(secret).remove_revisions.add(revision)

    def read_secret(self, uri: str, label: str, *, refresh: bool, peek: bool) -> dict[str, str]:
        """Content of a secret, as the owner or as a consumer that tracks a revision."""
        secret = self.find_secret(uri, label)
        change = self.secrets.get(secret.id)
        is_owner = secret.owner == self.unit.name or (
            secret.owner == self.unit.app and self.is_leader
        )
        if is_owner:
            # Since 3.1.7 and 3.3.1 an owner may use --refresh as well. What it gets is the latest
            # revision here, whether it does or not.
            if uri and label and secret.id not in self.created:
                self.change(secret).fields["label"] = label
            if change and change.content:
                return dict(change.content)
            return dict(secret.revisions[secret.latest].content)
        if not self.model.can_read(secret, self.unit.name):
            raise ToolError(DENIED)
        # Reading is noted at once: Juju keeps the consumer even if the hook fails later.
        consumer = secret.consumers.setdefault(self.unit.name, SecretConsumer(secret.latest))
        self.unit.secrets_seen.setdefault(secret.id, secret.latest)
        if uri and label:
            consumer.label = label
        if refresh:
            consumer.tracked = secret.latest
        revision = secret.latest if peek else consumer.tracked
        if revision not in secret.revisions:
            raise ToolError(f"ERROR secret revision {revision} not found")
        return dict(secret.revisions[revision].content)

    # Status and the rest.

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

    def commit(self) -> None:
        """Make the hook's changes part of the model."""
        for secret in self.created.values():
            self.model.secrets[secret.id] = secret
            label = secret.label or secret.uri
            self.timeline.add("secret", secret.owner, f"{label} created")
        for identifier, change in self.secrets.items():
            secret = self.model.secrets.get(identifier)
            if secret is not None:
                self._commit_secret(secret, change)
        for (relation_id, owner), values in self.databags.items():
            relation = self.model.relations.get(relation_id)
            if relation is not None:
                self._commit_databag(relation, owner, values)
        if self.ports is not None:
            self.unit.ports = self.ports
        self.unit.state = _apply(self.unit.state, self.state)

    def _commit_secret(self, secret: Secret, change: SecretChange) -> None:
        name = secret.label or secret.uri
        if change.remove:
            del self.model.secrets[secret.id]
            self.timeline.add("secret", secret.owner, f"{name} removed")
            return
        for key, value in change.fields.items():
            setattr(secret, key, value)
        for target in change.revoke:
            secret.grants.pop(target, None)
            secret.consumers = {
                u: c for u, c in secret.consumers.items() if target not in {u, u.partition("/")[0]}
            }
        for target, scope in change.grant.items():
            if target not in secret.grants:
                self.timeline.add("secret", secret.owner, f"{name} granted to {target}")
            secret.grants[target] = scope
        latest = secret.revisions[secret.latest].content
        if change.content is not None and change.content != latest:
            secret.latest += 1
            secret.revisions[secret.latest] = SecretRevision(change.content)
            self.timeline.add("secret", secret.owner, f"{name} revision {secret.latest}")
        for revision in change.remove_revisions:
            if revision != secret.latest:
                secret.revisions.pop(revision, None)

    def _commit_databag(self, relation: Relation, owner: str, values: Mapping[str, str]) -> None:
        of_unit = "/" in owner
        bags = relation.unit_data if of_unit else relation.app_data
        versions = relation.unit_version if of_unit else relation.app_version
        old = bags.get(owner, {})
        new = _apply(old, values)
        if new == old:
            return
        bags[owner] = new
        versions[owner] = versions.get(owner, 0) + 1
        if relation.is_peer and not of_unit:
            # The leader is not told of what it wrote for its own application.
            self.unit.seen.setdefault(relation.id, SeenRelation()).apps[owner] = versions[owner]
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                change = f"{key} = {shorten(new[key])}" if key in new else f"{key} removed"
                self.timeline.add(
                    "databag", owner, f"{relation.endpoint(self.unit.app)}:{relation.id} {change}"
                )


def _apply(stored: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """A databag after some changes; an empty value removes its key."""
    return {key: value for key, value in {**stored, **changes}.items() if value != ""}


def _check_content(content: Mapping[str, Any]) -> None:
    if not content:
        raise ToolError("ERROR missing secret value or filename")
    for key in content:
        if not _SECRET_KEY.match(key):
            raise ToolError(f'ERROR key "{key}" not valid')
