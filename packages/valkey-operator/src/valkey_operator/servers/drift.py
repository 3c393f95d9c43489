"""What somebody has changed by hand on a running server or Sentinel, put right."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from ..rules.accounts import CLIENT_PREFIX
from ..rules.accounts_digest import DIGEST_ACCOUNT_RULE, DIGEST_PREFIX
from ..rules.acl_file import Rule
from .cluster import batched
from .connection import Connection, RefusedError

_AT_ONCE = 50
"""Accounts that are looked at in one go; between two of them the server serves others."""

_MAX_ACCOUNTS = 500
"""Accounts that are looked at in one hook: each takes a server about 0.3 ms."""


def restore_accounts(
    connection: Connection, rules: Mapping[str, Rule], turn: int
) -> tuple[list[str], list[str]]:
    """Give each account its rule again, and delete accounts that nobody asked for.

    An account that had its rule does not notice: its connections stay (Valkey 7.2 to 9.1). Client
    accounts that are missing are left to the plan, which knows what a server has to be given.

    Args:
        connection: To the server or Sentinel.
        rules: The rule of every account but those that carry a digest.
        turn: Which part of very many accounts to look at: the next number, the next part.

    Returns:
        The names of the accounts whose rules differed, and of those that were deleted.

    Raises:
        ServerError: If it does not answer, or refuses a rule.
    """
    present = set(connection.ask("ACL USERS"))
    wanted = {n: r for n, r in rules.items() if n in present or not n.startswith(CLIENT_PREFIX)}
    wanted |= {n: DIGEST_ACCOUNT_RULE for n in present if n.startswith(DIGEST_PREFIX)}
    altered: list[str] = []
    for names in batched(_part(sorted(wanted), turn), _AT_ONCE):
        look = [("ACL GETUSER", name) for name in names]
        change = [("ACL SETUSER", name, "reset", *wanted[name]) for name in names]
        answers = connection.ask_all([*look, *change, *look])
        before, after = answers[: len(names)], answers[-len(names) :]
        altered += (
            name for name, old, new in zip(names, before, after, strict=True) if old != new
        )
    unknown = sorted(present - wanted.keys())
    if unknown:
        connection.ask("ACL DELUSER", *unknown)
    return altered, unknown


def _part(names: Sequence[str], turn: int) -> Sequence[str]:
    parts = -(-len(names) // _MAX_ACCOUNTS) or 1
    return names[turn % parts :: parts]


def restore_settings(connection: Connection, settings: Mapping[str, str]) -> Iterator[str]:
    """Give a server its settings again.

    Args:
        connection: To the server.
        settings: Those that it must have, spelled as ``CONFIG GET`` returns them.

    Yields:
        The name of each setting that differed and is set now.

    Raises:
        ServerError: If it does not answer.
    """
    present = connection.ask("CONFIG GET", *settings)
    for name, value in settings.items():
        if name in present and present[name] != value:
            # Where it may open few files, a server refuses more clients.
            with contextlib.suppress(RefusedError):
                connection.ask("CONFIG SET", name, value)
                yield name
