"""The hook commands of actions."""

from __future__ import annotations

from typing import Any

from ..errors import ToolError
from ..hook import Hook
from .arguments import Arguments, Parser, Tool, pairs


def _action(hook: Hook) -> Any:
    if hook.task is None:
        raise ToolError("ERROR not running an action")
    return hook.task


def _action_get(hook: Hook, a: Arguments, _: str) -> Any:
    value: Any = _action(hook).parameters
    for part in a.rest[0].split(".") if a.rest else ():
        value = value.get(part) if hasattr(value, "get") else None
    return value


def _action_set(hook: Hook, a: Arguments, _: str) -> None:
    for key, value in pairs(a.rest).items():
        target = _action(hook).results
        *parents, leaf = key.split(".")
        for parent in parents:
            target = target.setdefault(parent, {})
        target[leaf] = value


def _action_fail(hook: Hook, a: Arguments, _: str) -> None:
    task = _action(hook)
    task.status = "failed"
    task.message = (
        " ".join(a.rest) or "action failed without reason given, check action for errors"
    )


def _action_log(hook: Hook, a: Arguments, _: str) -> None:
    _action(hook).log.append(" ".join(a.rest))


TOOLS: dict[str, tuple[Parser, Tool]] = {
    "action-fail": (Parser("action-fail"), _action_fail),
    "action-get": (Parser("action-get"), _action_get),
    "action-log": (Parser("action-log"), _action_log),
    "action-set": (Parser("action-set"), _action_set),
}
