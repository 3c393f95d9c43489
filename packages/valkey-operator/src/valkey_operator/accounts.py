"""Accounts, and what they may do: the compiler of ACL rules.

A client's rule is an allow-list. It holds only commands whose every key is checked against the
account's pattern, whose channels are, or that concern the caller's own connection. Rules travel
as separate arguments of ``ACL SETUSER``; a line of an ACL file is written only from what this
module compiled, and no part of it can hold a blank.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from valkey_client import KeyPrefix

Version = tuple[int, int, int]

CLIENT_PREFIX = "relation-"
"""What the names of client accounts begin with, and no other's do."""

ADMIN = "charm-admin"
REPLICATION = "charm-replication"
SENTINEL = "charm-sentinel"
SENTINEL_PEER = "charm-sentinel-peer"

# The order matters: the type categories bring commands that belong to @admin or @dangerous too,
# and of those SORT, INFO and ROLE are wanted back. GEORADIUS and GEORADIUSBYMEMBER take STORE
# twice and on 8.0.1 and older write to a key that was not checked. CLIENT TRACKING in broadcast
# mode names every key of the server.
_CLIENT_COMMANDS = (
    "-@all",
    *("+@string", "+@hash", "+@list", "+@set", "+@sortedset", "+@stream", "+@bitmap"),
    *("+@hyperloglog", "+@geo", "+@transaction", "+@connection"),
    *("-@admin", "-@dangerous", "-georadius", "-georadiusbymember"),
    *("-client|tracking", "-client|caching"),
    *("+del", "+unlink", "+exists", "+touch", "+type", "+expire", "+pexpire", "+expireat"),
    *("+pexpireat", "+expiretime", "+pexpiretime", "+ttl", "+pttl", "+persist", "+copy"),
    *("+rename", "+renamenx", "+move", "+dump", "+object", "+sort", "+sort_ro"),
    *("+subscribe", "+unsubscribe", "+psubscribe", "+punsubscribe", "+publish"),
    *("+ssubscribe", "+sunsubscribe", "+spublish", "+pubsub|numsub", "+pubsub|shardnumsub"),
    *("+eval", "+eval_ro", "+evalsha", "+evalsha_ro", "+script|load", "+script|exists"),
    *("+info", "+role", "+time", "+memory|usage", "+acl|whoami"),
)

# What the clients in use ask Sentinels. Subscribing to everything is harmless where publishing
# is not granted, and lettuce needs it; publishing would let a client announce a primary.
_SENTINEL_CLIENT_COMMANDS = (
    *("-@all", "+ping", "+hello", "+auth", "+info", "+role"),
    *("+subscribe", "+unsubscribe", "+psubscribe", "+punsubscribe"),
    *("+client|setname", "+client|setinfo", "+client|id"),
    *("+sentinel|get-master-addr-by-name", "+sentinel|master", "+sentinel|masters"),
    *("+sentinel|replicas", "+sentinel|slaves", "+sentinel|sentinels"),
)
_SENTINEL_CLIENT_COMMANDS_8 = (
    *("+sentinel|get-primary-addr-by-name", "+sentinel|primary", "+sentinel|primaries"),
)

# Sentinel's account on the servers: what it needs to watch them, to say hello to the other
# Sentinels and to fail over, coordinated failover included.
_SENTINEL_ON_SERVERS = (
    *("resetkeys", "resetchannels", "&__sentinel__:hello", "-@all", "+ping", "+info", "+publish"),
    *("+subscribe", "+multi", "+exec", "+slaveof", "+replicaof", "+config|rewrite"),
    *("+client|setname", "+client|kill", "+client|pause", "+client|unpause", "+failover", "+role"),
    "+script|kill",
)
_SENTINEL_ON_SENTINELS = (
    *("resetkeys", "resetchannels", "&__sentinel__:hello", "-@all", "+ping", "+auth", "+hello"),
    *("+publish", "+client|setname", "+sentinel|is-master-down-by-addr"),
)
_SENTINEL_ON_SENTINELS_8 = ("+sentinel|is-primary-down-by-addr",)

_REPLICATION = ("resetkeys", "resetchannels", "-@all", "+psync", "+replconf", "+ping")

# The charm manages servers; it never reads a key or a message.
_ADMIN_ON_SERVERS = (
    *("resetkeys", "resetchannels", "-@all", "+ping", "+hello", "+auth", "+info", "+role"),
    *("+acl", "+config", "+client", "+replicaof", "+multi", "+exec", "+shutdown", "+wait"),
)
_ADMIN_ON_SENTINELS = (
    *("resetkeys", "resetchannels", "-@all", "+ping", "+hello", "+auth", "+info", "+role"),
    *("+acl", "+sentinel", "+client", "+shutdown"),
)


def rules_digest() -> str:
    """A digest of what client accounts may do, to notice that a new release has changed it."""
    rules = (_CLIENT_COMMANDS, _SENTINEL_CLIENT_COMMANDS, _SENTINEL_CLIENT_COMMANDS_8)
    return hashlib.sha256(repr(rules).encode()).hexdigest()[:16]


def digest(password: str) -> str:
    """SHA-256 in the form that rules take; the only form in which a password leaves a secret."""
    return hashlib.sha256(password.encode()).hexdigest()


@dataclass(frozen=True, order=True)
class Account:
    """A client's account.

    Attributes:
        name: Its name, the same on all servers and Sentinels.
        sha256: The digest of its password.
        prefix: The range of keys and channels, in the text of :class:`KeyPrefix`.
        relation_id: The relation it was made for.
        request_id: The request it was made for; empty in v0.
    """

    name: str
    sha256: str
    prefix: str
    relation_id: int
    request_id: str = ""

    @property
    def patterns(self) -> tuple[str, ...]:
        """Keys and channels, as they stand in the rule and as the server lists them."""
        prefix = KeyPrefix.parse(self.prefix)
        # Names that begin with an underscore are the server's own: __sentinel__:hello among
        # them, through which a publisher can announce a primary of its choice.
        channels = "[^_]*" if prefix.is_everything else str(prefix)
        return (f"~{prefix}", f"&{channels}")

    def server_rule(self, version: Version) -> tuple[str, ...]:
        """The rule on data nodes, for ``ACL SETUSER name reset ...``."""
        del version  # one text is right for every release from 7.2 on
        return ("on", f"#{self.sha256}", *self.patterns, *_CLIENT_COMMANDS)

    def sentinel_rule(self, version: Version) -> tuple[str, ...]:
        """The rule on Sentinels."""
        rule = ("on", f"#{self.sha256}", "resetkeys", "resetchannels", "&*")
        extra = _SENTINEL_CLIENT_COMMANDS_8 if version >= (8, 0, 0) else ()
        return (*rule, *_SENTINEL_CLIENT_COMMANDS, *extra)


def internal_server_rules(digests: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Name to rule of the charm's own accounts on data nodes.

    Args:
        digests: SHA-256 of the password of each internal account.
    """
    rules = {ADMIN: _ADMIN_ON_SERVERS, REPLICATION: _REPLICATION, SENTINEL: _SENTINEL_ON_SERVERS}
    return {name: ("on", f"#{digests[name]}", *rule) for name, rule in rules.items()}


def internal_sentinel_rules(
    digests: Mapping[str, str], version: Version
) -> dict[str, tuple[str, ...]]:
    """Name to rule of the charm's own accounts on Sentinels."""
    extra = _SENTINEL_ON_SENTINELS_8 if version >= (8, 0, 0) else ()
    rules = {ADMIN: _ADMIN_ON_SENTINELS, SENTINEL_PEER: (*_SENTINEL_ON_SENTINELS, *extra)}
    return {name: ("on", f"#{digests[name]}", *rule) for name, rule in rules.items()}


def acl_file(rules: Mapping[str, Iterable[str]]) -> str:
    """An ACL file with these accounts and without the default one.

    The file is split on blanks and knows no quoting, so a rule that holds one is refused.

    Raises:
        ValueError: If a name or a part of a rule could be read as more than one.
    """
    lines = ["user default off resetpass resetkeys resetchannels -@all"]
    for name, rule in sorted(rules.items()):
        words = ["user", name, *rule]
        if any(
            not word or not word.isascii() or not word.isprintable() or " " in word
            for word in words
        ):
            raise ValueError(f"the rule of {name!r} cannot be written into an ACL file")
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Listed:
    """An account as a server lists it (``ACL LIST``)."""

    hashes: frozenset[str]
    patterns: frozenset[str]


def read_list(lines: Iterable[str]) -> dict[str, Listed]:
    """Client accounts out of the lines of ``ACL LIST``."""
    found: dict[str, Listed] = {}
    for line in lines:
        words = line.split()
        if len(words) > 2 and words[0] == "user" and words[1].startswith(CLIENT_PREFIX):
            found[words[1]] = Listed(
                hashes=frozenset(w[1:] for w in words[2:] if w.startswith("#")),
                patterns=frozenset(w for w in words[2:] if w[0] in "~&"),
            )
    return found
