"""Databases of applications' own, and whose they are.

A number that was given stays its application's for good: who comes back finds its data, and
nobody finds another's.
"""

from __future__ import annotations

from collections.abc import Mapping

from .accounts import SHARED_DATABASES

COUNT = 10_000
"""How many databases a server has where an account can be held to one. Unused ones cost nothing:
since 9.0 a server makes a database when it is first written to. It cannot be changed while the
server runs."""


def owner(application: str, prefix: str) -> str:
    """Whom a database belongs to: one prefix of one application."""
    return f"{application}/{prefix}"


def assign(known: Mapping[str, int], whose: str, count: int) -> int:
    """The number of a database for somebody, 0 if there is none left.

    Args:
        known: The numbers that were given, by owner.
        whose: The owner, as :func:`owner` writes it.
        count: How many databases each server has.
    """
    if whose in known:
        return known[whose] if known[whose] < count else 0
    taken = set(known.values())
    return next((n for n in range(SHARED_DATABASES, count) if n not in taken), 0)
