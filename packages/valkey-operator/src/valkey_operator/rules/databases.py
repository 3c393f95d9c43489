"""Databases of single applications, and who owns each.

A number stays with its owner for good: an application that comes back finds its data, and no
other does.
"""

from __future__ import annotations

from collections.abc import Mapping

from .accounts import SHARED_DATABASES

COUNT = 10_000
"""How many databases a server has from :data:`.accounts.DATABASE_ACL` on. Unused ones cost
nothing: since 9.0 a server creates a database at its first write. Fixed while a server runs."""


def owner(application: str, prefix: str) -> str:
    """The owner of a database: one prefix of one application."""
    return f"{application}/{prefix}"


def assign(owners: Mapping[str, int], owner: str, count: int) -> int:
    """The number of the database for an owner, 0 if none is left.

    Args:
        owners: The number of each owner.
        owner: As :func:`owner` writes it.
        count: How many databases each server has.
    """
    if owner in owners:
        return owners[owner] if owners[owner] < count else 0
    taken = set(owners.values())
    return next((n for n in range(SHARED_DATABASES, count) if n not in taken), 0)
