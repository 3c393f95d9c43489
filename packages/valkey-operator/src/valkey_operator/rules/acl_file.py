"""The file from which a server takes its accounts when it starts.

Live changes go through ``ACL SETUSER``. Making them durable by ``ACL SAVE`` would stop the server
for 75 microseconds an account (measured on 8.0 and 9.1), at each change of any of them. So each
unit writes the file itself, from the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .accounts import Account, Version
from .internal_accounts import internal_sentinel_rules, internal_server_rules

Rule = tuple[str, ...]
"""The parts of an account's rule, as ``ACL SETUSER`` takes them after ``reset``."""

DEFAULT_RULE: Rule = ("off", "resetpass", "~*", "&*", "+@all")
"""The rule of the account ``default``: nobody can log in.

It is off, yet keeps its rights: 8.0.1 loads an AOF with them, and drops each transaction and each
script with more than one write in it if they do not allow it (9.1.2 does not).
"""


def account_rules(
    clients: Iterable[Account], password_digests: Mapping[str, str], version: Version
) -> tuple[dict[str, Rule], dict[str, Rule]]:
    """The rules of all accounts that a server must have, and of those that a Sentinel must have.

    Those that carry a digest are not among them; see :mod:`.accounts_digest`.

    Args:
        clients: The client accounts.
        password_digests: SHA-256 of the password of each internal account.
        version: Of the server.
    """
    on_server = {"default": DEFAULT_RULE, **internal_server_rules(password_digests)}
    on_sentinel = {"default": DEFAULT_RULE, **internal_sentinel_rules(password_digests, version)}
    for account in clients:
        on_server[account.name] = account.server_rule(version)
        on_sentinel[account.name] = account.sentinel_rule(version)
    return on_server, on_sentinel


def acl_file(rules: Mapping[str, Iterable[str]]) -> str:
    """An ACL file with these accounts; nobody can log in as the default one.

    The file is split on blanks and knows no quoting, so a rule that holds one is refused.

    Raises:
        ValueError: If a name or a part of a rule could be read as more than one.
    """
    lines: list[str] = []
    for name, rule in sorted(({"default": DEFAULT_RULE} | dict(rules)).items()):
        words = ("user", name, *rule)
        line = " ".join(words)
        is_plain = line.isascii() and line.isprintable()
        # A word with a blank in it, or an empty one, shows in how the line is split again.
        if not is_plain or len(line.split()) != len(words):
            raise ValueError(f"the rule of {name!r} cannot be written into an ACL file")
        lines.append(line)
    return "\n".join(lines) + "\n"
