"""The hook commands: their command lines, their output, their error texts."""

from __future__ import annotations

import json
from typing import Any, cast

import yaml

from ..errors import ToolError
from ..hook import Hook
from ..server import Call
from . import actions, application, network, relations, secrets, storage

TOOLS = {
    **actions.TOOLS,
    **application.TOOLS,
    **network.TOOLS,
    **relations.TOOLS,
    **secrets.TOOLS,
    **storage.TOOLS,
}
"""Every hook command that a charm may run."""


def run(hook: Hook, call: Call) -> str:
    """Carry out a hook command.

    Returns:
        What it prints.

    Raises:
        ToolError: If it fails; the text is what it prints on standard error.
    """
    name = call.name
    parser, tool = TOOLS[name]
    hook.calls.append(name)
    parsed = parser.read(call.arguments)
    parsed.directory = call.directory
    try:
        answer = tool(hook, parsed, call.stdin)
    except (OSError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise ToolError(f"ERROR {name}: {error}") from None
    return _format(answer, parsed.format)


def _format(answer: Any, style: str) -> str:
    if answer is None:
        return "null\n" if style == "json" else ""
    if style == "json":
        return json.dumps(answer) + "\n"
    if style == "smart" and isinstance(answer, str):
        return answer + "\n"
    if style == "smart" and isinstance(answer, (bool, int, float)):
        return f"{answer}\n"
    if style == "smart" and isinstance(answer, list):
        return "".join(f"{line}\n" for line in cast("list[Any]", answer))
    return yaml.safe_dump(answer, sort_keys=True).removesuffix("...\n")
