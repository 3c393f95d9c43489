"""The commit of a hook that has succeeded, one step after the other.

Juju creates and changes secrets first, and then writes databags, ports and state together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..model import Relation, Secret, SecretRevision, SeenRelation
from ..timeline import shorten
from .changes import SecretChange, merge
from .context import Hook


def commit(hook: Hook) -> None:
    """Make a hook's changes part of the model."""
    for step in _STEPS:
        step(hook)


def _create_secrets(hook: Hook) -> None:
    for secret in hook.secrets.created.values():
        hook.model.secrets[secret.id] = secret
        hook.timeline.add("secret", secret.owner, f"{_name(secret)} created")


def _change_secrets(hook: Hook) -> None:
    for identifier, change in hook.secrets.changes.items():
        secret = hook.model.secrets.get(identifier)
        if secret is not None:
            _change_secret(hook, secret, change)


def _write_databags(hook: Hook) -> None:
    for (relation_id, owner), changes in hook.databags.items():
        relation = hook.model.relations.get(relation_id)
        if relation is not None:
            _write_databag(hook, relation, owner, changes)


def _set_ports(hook: Hook) -> None:
    if hook.ports is not None:
        hook.unit.ports = hook.ports


def _save_state(hook: Hook) -> None:
    hook.unit.state = merge(hook.unit.state, hook.state)


_STEPS: tuple[Callable[[Hook], None], ...] = (
    _create_secrets,
    _change_secrets,
    _write_databags,
    _set_ports,
    _save_state,
)


def _change_secret(hook: Hook, secret: Secret, change: SecretChange) -> None:
    name = _name(secret)
    if change.remove:
        del hook.model.secrets[secret.id]
        hook.timeline.add("secret", secret.owner, f"{name} removed")
        return
    for key, value in change.fields.items():
        setattr(secret, key, value)
    _revoke(secret, change)
    for target, scope in change.grant.items():
        if target not in secret.grants:
            hook.timeline.add("secret", secret.owner, f"{name} granted to {target}")
        secret.grants[target] = scope
    if _add_revision(secret, change):
        hook.timeline.add("secret", secret.owner, f"{name} revision {secret.latest}")
    for revision in change.remove_revisions:
        if revision != secret.latest:
            secret.revisions.pop(revision, None)


def _revoke(secret: Secret, change: SecretChange) -> None:
    for target in change.revoke:
        secret.grants.pop(target, None)
        secret.consumers = {
            unit: consumer
            for unit, consumer in secret.consumers.items()
            if target not in {unit, unit.partition("/")[0]}
        }


def _add_revision(secret: Secret, change: SecretChange) -> bool:
    """Add a revision if the content differs from that of the latest."""
    if change.content is None or change.content == secret.revisions[secret.latest].content:
        return False
    secret.latest += 1
    secret.revisions[secret.latest] = SecretRevision(change.content)
    return True


def _name(secret: Secret) -> str:
    return secret.label or secret.uri


def _write_databag(hook: Hook, relation: Relation, owner: str, changes: Mapping[str, str]) -> None:
    of_unit = "/" in owner
    databags = relation.unit_data if of_unit else relation.app_data
    versions = relation.unit_version if of_unit else relation.app_version
    old = databags.get(owner, {})
    new = merge(old, changes)
    if new == old:
        return
    databags[owner] = new
    versions[owner] = versions.get(owner, 0) + 1
    if relation.is_peer and not of_unit:
        # The leader is not told of what it wrote for its own application.
        seen = hook.unit.seen.setdefault(relation.id, SeenRelation())
        seen.apps[owner] = versions[owner]
    _note_databag(hook, relation, owner, old, new)


def _note_databag(
    hook: Hook, relation: Relation, owner: str, old: Mapping[str, str], new: Mapping[str, str]
) -> None:
    name = f"{relation.endpoint(hook.unit.app)}:{relation.id}"
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            text = f"{key} = {shorten(new[key])}" if key in new else f"{key} removed"
            hook.timeline.add("databag", owner, f"{name} {text}")
