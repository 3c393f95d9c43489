"""The ``juju`` command lines that this model understands, with Juju's output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ..engine import Engine
from ..errors import CharmError, CommandError
from . import actions, applications, configuration, relations, reports, secrets, units
from .context import Context

_COMMANDS = {
    **actions.COMMANDS,
    **applications.COMMANDS,
    **configuration.COMMANDS,
    **relations.COMMANDS,
    **reports.COMMANDS,
    **secrets.COMMANDS,
    **units.COMMANDS,
}

_FILES = ("charm", "path", "file", "params")
"""The options that name a file."""


def run(engine: Engine, arguments: list[str], directory: Path) -> tuple[int, str, str]:
    """Carry out a command line.

    Args:
        engine: The model, and what runs for it.
        arguments: The arguments of ``juju``.
        directory: The working directory of the caller, to which relative paths are relative.

    Returns:
        Exit code, standard output, standard error.
    """
    name, *rest = arguments or ["help"]
    entry = _COMMANDS.get(name)
    if entry is None:
        names = ", ".join(sorted(_COMMANDS))
        return 2, "", f'ERROR localjuju does not know "juju {name}"; it knows {names}\n'
    parser, command = entry
    try:
        parsed = parser.parse_args(rest)
        _find_files(parsed, directory)
        with engine.lock:
            try:
                output = command(Context(engine), parsed)
            finally:
                engine.changed.notify_all()
    except (CommandError, CharmError) as error:
        return 1, "", f"ERROR {error}\n"
    except (ValueError, OSError, yaml.YAMLError) as error:
        return 1, "", f"ERROR {name}: {error}\n"
    return output if isinstance(output, tuple) else (0, output or "", "")


def _find_files(parsed: Any, directory: Path) -> None:
    for name in _FILES:
        if value := getattr(parsed, name, None):
            is_path = name != "charm" or value.startswith((".", "/"))
            setattr(parsed, name, str(directory / value) if is_path else value)
