"""A digest of all client accounts, kept on each server as the name of an unusable account.

Reading the accounts back instead would stop the server for as long as ``ACL SAVE`` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from .accounts import DATABASE_ACL, V8_0, Account, Version, rules_of_release

DIGEST_PREFIX = "charm-accounts-"

DIGEST_ACCOUNT_RULE = ("off", "resetpass", "resetkeys", "resetchannels", "-@all")
"""The rule of the account that carries the digest: nobody can log in, and it may do nothing."""


def accounts_digest(accounts: Iterable[Account], version: Version) -> str:
    """The digest of accounts, as the name of the account that carries it.

    A server that has it was given exactly these accounts, with the rules that this release has
    for a server of that version: after an upgrade of the server the rules may differ.
    """
    kind = (version >= V8_0, version >= DATABASE_ACL)
    text = repr((rules_of_release(), kind, sorted(accounts)))
    return DIGEST_PREFIX + hashlib.sha256(text.encode()).hexdigest()[:16]
