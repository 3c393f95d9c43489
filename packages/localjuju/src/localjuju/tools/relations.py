"""The hook commands for relations."""

from __future__ import annotations

from typing import Any

from ..errors import ToolError
from ..hook import Hook
from .arguments import RELATION, Arguments, Parser, Tool, mapping, pairs


def _relation_get(hook: Hook, a: Arguments, _: str) -> Any:
    relation = hook.relation(a.relation)
    key = a.rest[0] if a.rest else "-"
    default = hook.event.remote_app if a.flag("app") else hook.event.remote_unit
    owner = a.rest[1] if len(a.rest) > 1 else default
    if a.flag("app"):
        owner = owner.partition("/")[0]
    if not owner:
        raise ToolError("ERROR no unit or application specified")
    bag = hook.read_databag(relation, owner)
    return bag if key == "-" else bag.get(key)


def _relation_set(hook: Hook, a: Arguments, stdin: str) -> None:
    relation = hook.relation(a.relation)
    values = pairs(a.rest)
    if a.text("file"):
        text = stdin if a.file == "-" else a.path(a.file).read_text()
        values = {**mapping(text), **values}
    hook.write_databag(relation, hook.unit.app if a.flag("app") else hook.unit.name, values)


def _relation_ids(hook: Hook, a: Arguments, _: str) -> Any:
    return hook.relation_ids(a.rest[0] if a.rest else hook.event.hook.partition("-relation-")[0])


def _relation_list(hook: Hook, a: Arguments, _: str) -> Any:
    relation = hook.relation(a.relation)
    return relation.other(hook.unit.app).app if a.flag("app") else hook.relation_list(relation)


def _relation_model_get(hook: Hook, a: Arguments, _: str) -> Any:
    hook.relation(a.relation)
    return {"uuid": hook.model.uuid}


TOOLS: dict[str, tuple[Parser, Tool]] = {
    "relation-get": (Parser("relation-get", RELATION, flags=["--app"]), _relation_get),
    "relation-ids": (Parser("relation-ids"), _relation_ids),
    "relation-list": (Parser("relation-list", RELATION, flags=["--app"]), _relation_list),
    "relation-model-get": (Parser("relation-model-get", RELATION), _relation_model_get),
    "relation-set": (Parser("relation-set", RELATION, "--file", flags=["--app"]), _relation_set),
}
