"""The hook commands for a unit's state and its storage."""

from __future__ import annotations

from typing import Any

from ..errors import ToolError
from ..hook import Hook
from .arguments import Arguments, Parser, Tool, mapping, pairs, unsupported


def _state_get(hook: Hook, a: Arguments, _: str) -> Any:
    state = {**hook.unit.state, **hook.state}
    return state.get(a.rest[0], "") if a.rest and a.rest[0] != "-" else state


def _state_set(hook: Hook, a: Arguments, stdin: str) -> None:
    values = pairs(a.rest)
    if a.text("file"):
        values.update(mapping(stdin if a.file == "-" else a.path(a.file).read_text()))
    hook.state.update(values)


def _state_delete(hook: Hook, a: Arguments, _: str) -> None:
    hook.state[a.rest[0]] = ""


def _storage_list(hook: Hook, a: Arguments, _: str) -> Any:
    return [s for s in sorted(hook.unit.storages) if not a.rest or s.startswith(f"{a.rest[0]}/")]


def _storage_get(hook: Hook, a: Arguments, _: str) -> Any:
    storage = a.text("s") or hook.event.storage_id
    if storage not in hook.unit.storages:
        raise ToolError(f'ERROR invalid value "{storage}" for option -s: storage not found')
    answer = {"kind": "filesystem", "location": hook.unit.storages[storage]}
    return answer.get(a.rest[0]) if a.rest else answer


TOOLS: dict[str, tuple[Parser, Tool]] = {
    "state-delete": (Parser("state-delete"), _state_delete),
    "state-get": (Parser("state-get"), _state_get),
    "state-set": (Parser("state-set", "--file"), _state_set),
    "storage-add": (Parser("storage-add"), unsupported),
    "storage-get": (Parser("storage-get", "-s"), _storage_get),
    "storage-list": (Parser("storage-list"), _storage_list),
}
