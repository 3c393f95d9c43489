"""The command lines of hook commands, as their Go programs read them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

import yaml

from ..errors import ToolError
from ..hook import Hook

Tool = Callable[[Hook, "Arguments", str], Any]
"""Carries out a command, with its standard input, and returns what it prints."""

RELATION = "-r --relation"
"""The spellings of the option that names a relation."""

_STRINGS = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class Arguments(argparse.Namespace):
    """The parsed arguments of a hook command."""

    rest: list[str]
    directory: Path

    def path(self, name: str) -> Path:
        """A file that the caller named, relative to the caller's directory."""
        return self.directory / name

    def text(self, name: str) -> str:
        """An option's value, empty if it was not given."""
        value = getattr(self, name, None)
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        """Whether a boolean option was given, in any of Go's spellings."""
        value = getattr(self, name, False)
        return value is True or str(value).lower() in {"true", "t", "1"}


class Parser(argparse.ArgumentParser):
    """The options of one command.

    Args:
        name: The name of the command.
        options: Options with a value, each with its spellings, as in ``-r --relation``.
        flags: Options that need no value.
    """

    def __init__(self, name: str, *options: str, flags: Sequence[str] = ()):
        super().__init__(prog=name, add_help=False, allow_abbrev=False)
        self._known: dict[str, argparse.Action] = {}
        self._add("--format", default="smart")
        for option in options:
            self._add(*option.split(), default=None)
        for flag in flags:
            self._add(flag, nargs="?", const=True, default=False)

    def _add(self, *spellings: str, **options: Any) -> None:
        dest = spellings[-1].lstrip("-").replace("-", "_")
        action = self.add_argument(*spellings, dest=dest, **options)
        self._known.update(dict.fromkeys(spellings, action))

    def read(self, words: Sequence[str]) -> Arguments:
        """Parse Go style: a flag takes a value only behind ``=``, and ``--`` ends the options.

        Raises:
            ToolError: If the command has no such option.
        """
        options: list[str] = []
        rest: list[str] = []
        arguments = iter(words)
        for argument in arguments:
            if argument == "--":
                rest.extend(arguments)
                break
            name, equals, value = argument.partition("=")
            action = self._known.get(name) or self._known.get(name.replace("--", "-", 1))
            if not argument.startswith("-") or argument == "-" or action is None:
                if argument.startswith("--"):
                    raise ToolError(f"ERROR option provided but not defined: {argument}")
                rest.append(argument)
                continue
            spelling = action.option_strings[0]
            if action.nargs == "?":
                options.append(f"{spelling}={value}" if equals else spelling)
            else:
                options.append(f"{spelling}={value if equals else next(arguments, '')}")
        parsed = self.parse_args(options, Arguments())
        parsed.rest = rest
        return parsed

    def error(self, message: str) -> NoReturn:
        """Fail as hook commands do."""
        raise ToolError(f"ERROR {message}")


def pairs(words: Sequence[str]) -> dict[str, str]:
    """Arguments of the form ``key=value``."""
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def mapping(text: str) -> dict[str, str]:
    """The mapping that a text in JSON or YAML holds.

    Raises:
        ToolError: If it is anything but a mapping.
    """
    try:
        # ops sends JSON, whose surrogate pairs YAML would split.
        loaded = json.loads(text or "{}")
    except ValueError:
        loaded = yaml.load(text, Loader=_STRINGS)  # noqa: S506 - makes strings and nothing else
    if not isinstance(loaded, dict):
        raise ToolError("ERROR expected a mapping")
    items = cast("dict[Any, Any]", loaded).items()
    return {str(key): "" if value is None else str(value) for key, value in items}


def unsupported(_hook: Hook, _a: Arguments, _: str) -> None:
    """A hook command that localjuju does not model.

    Raises:
        ToolError: Always.
    """
    raise ToolError("ERROR not supported by localjuju")
