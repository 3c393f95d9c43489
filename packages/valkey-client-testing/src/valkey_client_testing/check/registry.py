"""The list of all checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .provider import lifecycle, options, permissions, responses, tls
from .requirer import access, removal, requests, robustness
from .results import Source


@dataclass(frozen=True)
class Entry:
    """A check in the list.

    Attributes:
        subjects: What it checks.
        name: Name of the check.
        source: Where its statement comes from.
        statement: What must hold.
    """

    subjects: str
    name: str
    source: Source
    statement: str


def entries() -> Iterator[Entry]:
    """All checks, in the order of a report."""
    groups = (
        ("provider, dump", responses.CHECKS),
        ("provider", tls.CHECKS),
        ("provider", permissions.CHECKS),
        ("provider", options.CHECKS),
        ("provider", lifecycle.CHECKS),
        ("requirer, dump", requests.CHECKS),
        ("requirer", access.CHECKS),
        ("requirer", robustness.CHECKS),
        ("requirer", removal.CHECKS),
    )
    for subjects, checks in groups:
        for check in checks:
            yield Entry(subjects, check.name, check.source, check.statement)


def as_text() -> str:
    """The list for a terminal."""
    return "\n".join(
        f"{entry.name}  [{entry.subjects}; {entry.source}]\n  {entry.statement}"
        for entry in entries()
    )
