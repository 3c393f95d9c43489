"""The commands for secrets, with those of the model's user."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import yaml

from .. import report
from ..errors import CommandError
from ..model import Secret, SecretRevision, new_secret_id
from .arguments import Command, Output, Parser, dump
from .context import Context


def _add_secret(context: Context, a: Any) -> Output:
    if any(secret.name == a.name for secret in context.model.secrets.values()):
        raise CommandError(f'secret with name "{a.name}" already exists')
    secret = Secret(new_secret_id(), "<model>", name=a.name, description=a.info or "")
    secret.revisions[1] = SecretRevision(_secret_file(a.file))
    secret.latest = 1
    context.model.secrets[secret.id] = secret
    return f"{secret.uri}\n"


def _update_secret(context: Context, a: Any) -> None:
    secret = context.secret(a.secret)
    if a.file and (content := _secret_file(a.file)):
        secret.latest += 1
        secret.revisions[secret.latest] = SecretRevision(content)
    secret.name = a.name or secret.name


def _grant_secret(context: Context, a: Any) -> None:
    secret = context.secret(a.secret)
    for app in a.app.split(","):
        secret.grants[context.app(app).name] = None


def _secrets(context: Context, a: Any) -> Output:
    secrets = [
        s
        for s in context.model.secrets.values()
        if not a.owner or s.owner == a.owner.removeprefix("application-")
    ]
    return dump({s.id: report.show_secret(s) for s in secrets}, a.format)


def _show_secret(context: Context, a: Any) -> Output:
    secret = context.secret(a.secret)
    revision = int(a.revision) if a.revision else secret.latest
    if revision not in secret.revisions:
        raise CommandError(f'secret "{a.secret}" has no revision {revision}')
    details = report.show_secret(secret, revisions=a.revisions)
    if a.reveal:
        details["content"] = {"Data": dict(secret.revisions[revision].content)}
    return dump({secret.id: details}, a.format)


def _secret_file(path: str | None) -> dict[str, str]:
    loaded = yaml.safe_load(Path(path).read_text()) if path else None
    if not isinstance(loaded, dict) or not loaded:
        raise CommandError("a secret needs a --file with keys and values")
    return {str(k): str(v) for k, v in cast("dict[Any, Any]", loaded).items()}


COMMANDS: dict[str, tuple[Parser, Command]] = {
    "add-secret": (Parser("add-secret", "name", "--file", "--info"), _add_secret),
    "grant-secret": (Parser("grant-secret", "secret app"), _grant_secret),
    "secrets": (Parser("secrets", "", "--owner"), _secrets),
    "show-secret": (
        Parser(*("show-secret", "secret", "--revision"), flags=["--reveal", "--revisions"]),
        _show_secret,
    ),
    "update-secret": (
        Parser("update-secret", "secret", "--file", "--info", "--name"),
        _update_secret,
    ),
}
