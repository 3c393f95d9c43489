"""Secrets in one hook: what it may read, and what it changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ToolError
from ..model import (
    Model,
    Relation,
    Secret,
    SecretConsumer,
    SecretRevision,
    Unit,
    new_secret_id,
    secret_id,
)
from .changes import SecretChange
from .errors import DENIED

_KEY = re.compile(r"[a-z](?:[a-z0-9]|-(?!$)){2,}\Z")


@dataclass
class HookSecrets:
    """The secrets that a hook may read or change.

    Attributes:
        model: The model.
        unit: The unit whose hook it is.
        created: Secrets that the hook has created, by id.
        changes: What it changes of others, by id.
    """

    model: Model
    unit: Unit
    created: dict[str, Secret] = field(default_factory=dict[str, Secret])
    changes: dict[str, SecretChange] = field(default_factory=dict[str, SecretChange])

    @property
    def _is_leader(self) -> bool:
        return self.model.is_leader(self.unit.name)

    def find(self, uri: str = "", label: str = "") -> Secret:
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
        change = self.changes.get(secret.id)
        return change is not None and change.remove

    def find_owned(self, uri: str = "", label: str = "") -> Secret:
        """A secret that this unit may change."""
        secret = self.find(uri, label)
        if secret.owner == self.unit.app:
            if not self._is_leader:
                # Only the leader is told what the application owns.
                raise ToolError(f'ERROR secret "{uri or label}" not found')
        elif secret.owner != self.unit.name:
            raise ToolError(f'ERROR secret "{uri or label}" not found')
        return secret

    def _label(self, secret: Secret) -> str:
        change = self.changes.get(secret.id)
        return change.fields.get("label", secret.label) if change else secret.label

    def change(self, secret: Secret) -> SecretChange:
        """What this hook does to a secret."""
        return self.changes.setdefault(secret.id, SecretChange())

    def add(self, content: dict[str, str], owner: str, fields: dict[str, str]) -> str:
        """Create a secret; a later change in this hook goes into its first revision."""
        _check_content(content)
        if owner == "application" and not self._is_leader:
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

    def set(self, secret: Secret, content: dict[str, str], fields: dict[str, str]) -> None:
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

    def grant(self, secret: Secret, relation: Relation, unit: str = "") -> None:
        """Let the other side of a relation read a secret."""
        target = unit or relation.other(self.unit.app).app
        self.change(secret).revoke.discard(target)
        self.change(secret).grant[target] = relation.id

    def revoke(self, secret: Secret, target: str) -> None:
        """Take that back."""
        self.change(secret).grant.pop(target, None)
        self.change(secret).revoke.add(target)

    def remove(self, secret: Secret, revision: int | None) -> None:
        """Remove a secret or one revision of it."""
        if revision is None:
            if self.created.pop(secret.id, None) is None:
                self.change(secret).remove = True
        elif revision not in secret.revisions:
            raise ToolError(f'ERROR secret "{secret.uri}" revision {revision} not found')
        else:
            self.change(secret).remove_revisions.add(revision)

    def read(self, uri: str, label: str, *, refresh: bool, peek: bool) -> dict[str, str]:
        """Content of a secret, as the owner or as a consumer that tracks a revision."""
        secret = self.find(uri, label)
        new_label = label if uri else ""
        if self._is_owner(secret):
            return self._read_as_owner(secret, new_label)
        return self._read_as_consumer(secret, new_label, refresh=refresh, peek=peek)

    def _is_owner(self, secret: Secret) -> bool:
        return secret.owner == self.unit.name or (
            secret.owner == self.unit.app and self._is_leader
        )

    def _read_as_owner(self, secret: Secret, new_label: str) -> dict[str, str]:
        """The latest revision, with --refresh and without.

        Juju lets an owner use --refresh since 3.1.7 and 3.3.1.
        """
        change = self.changes.get(secret.id)
        if new_label and secret.id not in self.created:
            self.change(secret).fields["label"] = new_label
        if change and change.content:
            return dict(change.content)
        return dict(secret.revisions[secret.latest].content)

    def _read_as_consumer(
        self, secret: Secret, new_label: str, *, refresh: bool, peek: bool
    ) -> dict[str, str]:
        """The tracked revision; the first read and --refresh track the latest.

        Juju keeps consumers, what they track and their labels even if the hook fails later.
        """
        if not self.model.can_read(secret, self.unit.name):
            raise ToolError(DENIED)
        consumer = secret.consumers.setdefault(self.unit.name, SecretConsumer(secret.latest))
        self.unit.secrets_seen.setdefault(secret.id, secret.latest)
        if new_label:
            consumer.label = new_label
        if refresh:
            consumer.tracked = secret.latest
        revision = secret.latest if peek else consumer.tracked
        if revision not in secret.revisions:
            raise ToolError(f"ERROR secret revision {revision} not found")
        return dict(secret.revisions[revision].content)


def _check_content(content: Mapping[str, Any]) -> None:
    if not content:
        raise ToolError("ERROR missing secret value or filename")
    for key in content:
        if not _KEY.match(key):
            raise ToolError(f'ERROR key "{key}" not valid')
