"""The hook commands for secrets."""

from __future__ import annotations

from typing import Any

from ..errors import ToolError
from ..hook import Hook
from ..model import Secret
from .arguments import RELATION, Arguments, Parser, Tool, mapping, pairs


def _secret_fields(a: Arguments) -> dict[str, str]:
    names = ("label", "description", "rotate", "expire")
    return {name: a.text(name) for name in names if a.text(name)}


def _secret_add(hook: Hook, a: Arguments, _: str) -> Any:
    content = _secret_content(a)
    return hook.secrets.add(content, a.text("owner") or "application", _secret_fields(a))


def _secret_set(hook: Hook, a: Arguments, _: str) -> None:
    uri, *a.rest = a.rest or [""]
    hook.secrets.set(hook.secrets.find_owned(uri), _secret_content(a), _secret_fields(a))


def _secret_get(hook: Hook, a: Arguments, _: str) -> Any:
    uri = a.rest[0] if a.rest else ""
    if not uri and not a.text("label"):
        raise ToolError("ERROR either URI or label should be used to get a secret")
    content = hook.secrets.read(
        uri, a.text("label"), refresh=a.flag("refresh"), peek=a.flag("peek")
    )
    return content.get(a.rest[1]) if len(a.rest) > 1 else content


def _secret_info_get(hook: Hook, a: Arguments, _: str) -> Any:
    uri = a.rest[0] if a.rest else ""
    if bool(uri) == bool(a.text("label")):
        raise ToolError("ERROR either URI or label should be used to get a secret")
    secret = hook.secrets.find_owned(uri, a.text("label"))
    return {secret.id: _secret_info(secret)}


def _secret_info(secret: Secret) -> dict[str, Any]:
    info: dict[str, Any] = {
        "revision": secret.latest,
        "label": secret.label,
        "owner": "unit" if "/" in secret.owner else "application",
        "rotation": secret.rotate or "never",
        "access": [
            {"target": f"application-{t}", "scope": f"relation-{r}", "role": "view"}
            for t, r in secret.grants.items()
        ],
    }
    if secret.description:
        info["description"] = secret.description
    if secret.expire:
        info["expiry"] = secret.expire
    return info


def _secret_ids(hook: Hook, _a: Arguments, _: str) -> Any:
    owners = {hook.unit.name} | ({hook.unit.app} if hook.is_leader else set[str]())
    return sorted(s.id for s in hook.model.secrets.values() if s.owner in owners)


def _secret_grant(hook: Hook, a: Arguments, _: str) -> None:
    relation = hook.relation(a.relation)
    hook.secrets.grant(hook.secrets.find_owned(a.rest[0]), relation, a.text("unit"))


def _secret_revoke(hook: Hook, a: Arguments, _: str) -> None:
    secret = hook.secrets.find_owned(a.rest[0])
    target = a.text("unit") or a.text("app")
    if not target:
        target = hook.relation(a.relation).other(hook.unit.app).app
    hook.secrets.revoke(secret, target)


def _secret_remove(hook: Hook, a: Arguments, _: str) -> None:
    revision = a.text("revision")
    secret = hook.secrets.find_owned(a.rest[0])
    hook.secrets.remove(secret, int(revision) if revision else None)


def _secret_content(a: Arguments) -> dict[str, str]:
    content = pairs([word for word in a.rest if "#file=" not in word])
    for word in a.rest:
        key, marker, path = word.partition("#file=")
        if marker:
            content[key] = a.path(path).read_text()
    if a.text("file"):
        content.update(mapping(a.path(a.file).read_text()))
    return content


_FIELDS = ("--label", "--description", "--expire", "--rotate", "--owner", "--file")

TOOLS: dict[str, tuple[Parser, Tool]] = {
    "secret-add": (Parser("secret-add", *_FIELDS), _secret_add),
    "secret-get": (Parser("secret-get", "--label", flags=["--refresh", "--peek"]), _secret_get),
    "secret-grant": (Parser("secret-grant", RELATION, "--unit"), _secret_grant),
    "secret-ids": (Parser("secret-ids"), _secret_ids),
    "secret-info-get": (Parser("secret-info-get", "--label"), _secret_info_get),
    "secret-remove": (Parser("secret-remove", "--revision"), _secret_remove),
    "secret-revoke": (Parser("secret-revoke", RELATION, "--app", "--unit"), _secret_revoke),
    "secret-set": (Parser("secret-set", *_FIELDS), _secret_set),
}
