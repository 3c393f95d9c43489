"""Parses the command lines of ``juju`` that localjuju supports."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import yaml

from ..errors import CommandError
from .context import Context

Output = str | tuple[int, str, str] | None
"""What a command prints, with its exit code and standard error if it does not succeed."""

Command = Callable[[Context, Any], Output]
"""Carries out a command, with the model locked."""

NOT_HERE = ("--base", "--channel", "--constraints*", "--to", "--bind", "--revision")
"""Options that have no effect on one machine without Charmhub."""


class Parser(argparse.ArgumentParser):
    """The arguments of one command.

    Args:
        name: The name of the command.
        positionals: Its arguments; those that end in ``*`` or ``?`` may be missing.
        options: Options with a value; those that end in ``*`` may be given more than once.
        flags: Options without one.
    """

    def __init__(self, name: str, positionals: str, *options: str, flags: Sequence[str] = ()):
        super().__init__(prog=f"juju {name}", add_help=False, allow_abbrev=False)
        self.add_argument("--model", "-m")
        self.add_argument("--format", default="yaml")
        for positional in positionals.split():
            self.add_argument(positional.rstrip("*?"), nargs=_nargs(positional))
        for option in options:
            action = "append" if option.endswith("*") else "store"
            self.add_argument(option.rstrip("*"), action=action)
        for flag in flags:
            self.add_argument(flag, action="store_true")

    def error(self, message: str) -> NoReturn:
        """Fail as ``juju`` does."""
        raise CommandError(message)


def _nargs(positional: str) -> str | None:
    return positional[-1] if positional[-1] in "*?" else None


def seconds(duration: str) -> float:
    """A duration as Go writes it, such as 90s or 1m30s.

    Raises:
        CommandError: If it is not a duration.
    """
    parts = re.findall(r"([0-9.]+)(ms|h|m|s)", duration)
    if not parts or "".join(n + unit for n, unit in parts) != duration:
        raise CommandError(f'invalid duration "{duration}"')
    return sum(float(n) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit] for n, unit in parts)


def dump(value: Any, style: str) -> str:
    """What a command prints."""
    if style == "json":
        return json.dumps(value) + "\n"
    return yaml.safe_dump(value, sort_keys=False)
