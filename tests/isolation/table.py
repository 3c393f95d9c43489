"""The commands of a running server, as it lists and describes them itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Ask = Callable[..., Any]


@dataclass(frozen=True)
class Argument:
    """One argument in the words of ``COMMAND DOCS``."""

    name: str
    type: str
    token: str | None = None
    optional: bool = False
    multiple: bool = False
    children: tuple[Argument, ...] = ()


@dataclass(frozen=True)
class Command:
    """A command that can be called: one without subcommands, or a subcommand.

    Attributes:
        name: As rules write it, such as ``get`` or ``client|kill``.
        arity: The number of words, negative if there may be more.
        group: The group of the documentation, such as ``sorted-set``.
        has_keys: Whether the server knows which of its arguments are keys, and so checks them.
        arguments: What it takes; empty where the server does not say.
    """

    name: str
    arity: int
    group: str
    has_keys: bool
    arguments: tuple[Argument, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.name.upper().split("|"))


def read_table(ask: Ask) -> dict[str, Command]:
    """Every command, from ``COMMAND`` and ``COMMAND DOCS`` over a RESP3 connection."""
    docs = _documented(ask("COMMAND", "DOCS"))
    table: dict[str, Command] = {}
    entries = list(ask("COMMAND"))
    while entries:
        name, arity, *_, specs, subcommands = entries.pop()
        if subcommands:
            entries.extend(subcommands)
            continue
        doc = docs.get(name, {})
        table[name] = Command(
            name=name,
            arity=arity,
            group=doc.get("group", ""),
            has_keys=any("NOT_KEY" not in {f.upper() for f in spec["flags"]} for spec in specs),
            arguments=tuple(map(_argument, doc.get("arguments", ()))),
        )
    return dict(sorted(table.items()))


def _documented(docs: Mapping[str, Any]) -> dict[str, Any]:
    documented: dict[str, Any] = {}
    for name, doc in docs.items():
        documented[name] = doc
        for sub, inner in doc.get("subcommands", {}).items():
            documented[sub] = {"group": doc.get("group", ""), **inner}
    return documented


def _argument(doc: Mapping[str, Any]) -> Argument:
    flags = {str(flag) for flag in doc.get("flags", ())}
    return Argument(
        name=doc["name"],
        type=doc["type"],
        token=doc.get("token"),
        optional="optional" in flags,
        multiple=bool(flags & {"multiple", "multiple_token"}),
        children=tuple(map(_argument, doc.get("arguments", ()))),
    )
