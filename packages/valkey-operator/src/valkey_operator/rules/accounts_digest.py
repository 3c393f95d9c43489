"""The note on a server of which accounts it was given."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from .accounts import DATABASE_ACL, V8_0, Account, Version, rules_of_release

DIGEST_PREFIX = "charm-accounts-"

DIGEST_ACCOUNT_RULE = ("off", "resetpass", "resetkeys", "resetchannels", "-@all")
"""What the marker may do: nothing, and nobody can be it."""


def accounts_digest(accounts: Iterable[Account], version: Version) -> str:
    """The name of an account that nobody can use and that stands for all others.

    A server that has it was given exactly these accounts, with the rules that this release has
    for a server of that version: after an upgrade of the server they are others. To read them
    back instead would stop the server for as long as ``ACL SAVE`` does.
    """
    kind = (version >= V8_0, version >= DATABASE_ACL)
    text = repr((rules_of_release(), kind, sorted(accounts)))
    return DIGEST_PREFIX + hashlib.sha256(text.encode()).hexdigest()[:16]
