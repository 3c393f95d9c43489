"""The table of commands and verdicts in the documentation."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

import tomllib

from ..conftest import ROOT
from .run_attacks import OWN_CHANNELS, OWN_KEYS, REFUSED

PAGE = ROOT / "docs" / "reference" / "commands.md"

_ENTRY = re.compile(r"`([a-z_-]+(?:\s[a-z_-]+)?)`(?:\s\(([\d.,\s]+)\))?")

Verdicts = Mapping[str, Mapping[str, str]]
"""Of each series of releases, such as ``9.1``, the verdict on each command."""

_PARTS = {
    "server": "On servers",
    "database": "On servers, with a database of its own",
    "sentinel": "On Sentinels",
}
_MEANING = {
    OWN_KEYS: "allowed where every key that it names is the account's own; otherwise `NOPERM`",
    OWN_CHANNELS: "allowed where every channel that it names is the account's own; otherwise `NOPERM`",
    "own connection": "allowed; it concerns the caller's own connection only",
    "facts about the server": "allowed; what it tells is nobody's secret",
    "names already known": "allowed; it answers for a name or digest that the caller must bring",
    "own database": "allowed; it concerns the account's own database only",
    REFUSED: "`NOPERM`, whatever its arguments are",
}

_INTRODUCTION = """\
# What each command may do

<!-- Written by: uv run python -m tests.isolation -->

What an account for a prefix such as `app:*` may call on Valkey {series}. Each line has been
tried: the [isolation tests](../../tests/isolation) take every command from the server's own table,
call it with each of its options, with own and foreign names, directly, through a script and in a
transaction, and after each call compare the other tenant's data, connections, scripts and functions
and the state of the server with what they were before. [Accounts and what they may
do](../explanation/accounts.md) says why the rule is as it is.

A number behind a command names the series that have it or, where the verdict differs, those
that it holds for.
"""


def render(verdicts: Mapping[str, Verdicts]) -> str:
    """The page for these verdicts; of a ``database``, those that differ from a ``server``."""
    series = sorted({name for by_series in verdicts.values() for name in by_series}, key=_numbers)
    lines = [_INTRODUCTION.format(series=", ".join(series))]
    for kind, title in _PARTS.items():
        reasons = _reasons(kind)
        lines += [f"## {title}", ""]
        for verdict, meaning in _MEANING.items():
            entries = _entries(verdicts[kind], verdict, series)
            if not entries:
                continue
            lines += [f"### {verdict.capitalize()}", "", f"{meaning[0].upper()}{meaning[1:]}.", ""]
            if any(command in reasons for command, _ in entries):
                lines += ["| command | why |", "|---|---|"]
                lines += [f"| {entry} | {reasons[command]} |" for command, entry in entries]
            else:
                listed = ", ".join(entry for _, entry in entries)
                lines += textwrap.wrap(f"{listed}.", 100, break_on_hyphens=False)
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def read(text: str) -> dict[str, dict[str, dict[str, str]]]:
    """What a page says: kind, series, command and verdict."""
    stated = re.search(r"on Valkey ([\d., ]+)\. Each", text)
    series = stated[1].split(", ") if stated else []
    verdicts: dict[str, dict[str, dict[str, str]]] = {}
    for kind, title in _PARTS.items():
        part = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
        verdicts[kind] = {name: {} for name in series}
        for section in part.split("### ")[1:]:
            heading, _, body = section.partition("\n")
            entries = body.partition(".\n\n")[2]
            for command, only in _ENTRY.findall(_first(entries)):
                for name in only.replace(",", " ").split() or series:
                    verdicts[kind][name]["|".join(command.split())] = heading.lower()
    return verdicts


def _first(entries: str) -> str:
    """Without what a table says in its second column."""
    return re.sub(r"^\| (.*?) \| .* \|$", r"\1", entries, flags=re.MULTILINE)


def _entries(verdicts: Verdicts, verdict: str, series: Iterable[str]) -> list[tuple[str, str]]:
    """Commands with a verdict, each with its text, which names the series if they are not all."""
    names = list(series)
    commands = sorted({command for one in verdicts.values() for command in one})
    entries: list[tuple[str, str]] = []
    for command in commands:
        having = [name for name in names if verdicts.get(name, {}).get(command) == verdict]
        if having:
            only = "" if having == names else f" ({', '.join(having)})"
            entries.append((command, f"`{command.replace('|', ' ')}`{only}"))
    return entries


def _reasons(kind: str) -> dict[str, str]:
    text = (Path(__file__).parent / "reviewed.toml").read_text()
    return {
        name: why for names in tomllib.loads(text)[kind].values() for name, why in names.items()
    }


def _numbers(series: str) -> tuple[int, ...]:
    return tuple(map(int, series.split(".")))


def differing(verdicts: Mapping[str, str], plain: Mapping[str, str]) -> dict[str, str]:
    """Of verdicts, those that an account without options does not get."""
    return {name: verdict for name, verdict in verdicts.items() if plain[name] != verdict}


def series_of(version: tuple[int, int, int]) -> str:
    """The series of releases that a version belongs to; a table does not change within one."""
    return f"{version[0]}.{version[1]}"
