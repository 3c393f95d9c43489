"""Accounts of clients, and what they may do: the compiler of ACL rules.

A client's rule is an allow-list. It holds only commands whose every key is checked against the
account's pattern, whose channels are, or that concern the caller's own connection. Rules travel
as separate arguments of ``ACL SETUSER``, or in a file of words that this module compiled, and no
part of one can hold a blank.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from valkey_client import KeyPrefix

Version = tuple[int, int, int]

CLIENT_PREFIX = "relation-"
"""The prefix of all client accounts' names, and of no others."""

V8_0: Version = (8, 0, 0)
"""The first version whose Sentinel commands say primary as well as master."""

DATABASE_ACL: Version = (9, 1, 2)
"""The first version in which an account can be held to a database; 9.1.0 and 9.1.1 leak."""

SHARED_DATABASES = 16
"""Databases 0 to 15 are shared, as on any server; databases of single applications follow."""

# The order matters: the type categories include commands of @admin and @dangerous, which are
# taken out again; of those, SORT, INFO and ROLE are allowed. GEORADIUS and GEORADIUSBYMEMBER take
# STORE twice and, up to 9.0.0 at least, write to a key that was not checked. PFMERGE without a
# source is not checked at all, up to 9.1.2 at least: it creates and changes any key. CLIENT
# TRACKING in broadcast mode names every key of the server.
_CLIENT_COMMANDS = (
    "-@all",
    *("+@string", "+@hash", "+@list", "+@set", "+@sortedset", "+@stream", "+@bitmap"),
    *("+@hyperloglog", "+@geo", "+@transaction", "+@connection"),
    *("-@admin", "-@dangerous", "-georadius", "-georadiusbymember", "-pfmerge"),
    *("-client|tracking", "-client|caching"),
    *("+del", "+unlink", "+exists", "+touch", "+type", "+expire", "+pexpire", "+expireat"),
    *("+pexpireat", "+expiretime", "+pexpiretime", "+ttl", "+pttl", "+persist", "+copy"),
    *("+rename", "+renamenx", "+move", "+dump", "+object", "+sort", "+sort_ro"),
    *("+subscribe", "+unsubscribe", "+psubscribe", "+punsubscribe", "+publish"),
    *("+ssubscribe", "+sunsubscribe", "+spublish", "+pubsub|numsub", "+pubsub|shardnumsub"),
    *("+eval", "+eval_ro", "+evalsha", "+evalsha_ro", "+script|load", "+script|exists"),
    *("+info", "+role", "+time", "+memory|usage", "+acl|whoami"),
)

# SCAN is not limited to the account's keys: it returns the names of all keys in the database.
_SCAN = ("+scan",)

# Limited to the database, so harmless in a database of one's own.
_OWN_DATABASE = ("+scan", "+keys", "+dbsize", "+randomkey", "+flushdb")

# What client libraries ask Sentinels. Subscribing to everything is harmless without publishing,
# and lettuce needs it; with PUBLISH a client could announce a primary.
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


def password_digest(password: str) -> str:
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
        channel_patterns: Further patterns to subscribe to, all of them inside the prefix.
        keyspace_events: Whether it may be told of changes to its keys.
        scan: Whether it may SCAN, and so see the names of everybody's keys.
        database: The number of its own database, 0 if it uses the shared ones.
    """

    name: str
    sha256: str
    prefix: str
    relation_id: int
    request_id: str = ""
    channel_patterns: tuple[str, ...] = ()
    keyspace_events: bool = False
    scan: bool = False
    database: int = 0

    @property
    def patterns(self) -> tuple[str, ...]:
        """Keys and channels, as they stand in the rule."""
        prefix = KeyPrefix.parse(self.prefix)
        # Channels that begin with an underscore are the server's own, among them
        # __sentinel__:hello, on which a publisher could announce any primary.
        channels = ["[^_]*" if prefix.is_everything else str(prefix), *self.channel_patterns]
        if self.keyspace_events:
            channels.append(f"__keyspace@{self.database}__:{prefix}")
        return (f"~{prefix}", *(f"&{channel}" for channel in channels))

    def server_rule(self, version: Version) -> tuple[str, ...]:
        """The rule on a data node of that version, for ``ACL SETUSER name reset ...``."""
        login = ("on", f"#{self.sha256}", *self.patterns)
        scan = _SCAN if self.scan else ()
        if version < DATABASE_ACL:
            return (*login, *_CLIENT_COMMANDS, *scan)
        more = _OWN_DATABASE if self.database else scan
        return (*login, *self._databases(), *_CLIENT_COMMANDS, *more)

    def _databases(self) -> tuple[str, ...]:
        """Its own database, or the shared ones."""
        numbers = [self.database] if self.database else range(SHARED_DATABASES)
        return ("resetdbs", "db=" + ",".join(map(str, numbers)))

    def sentinel_rule(self, version: Version) -> tuple[str, ...]:
        """The rule on a Sentinel of that version."""
        rule = ("on", f"#{self.sha256}", "resetkeys", "resetchannels", "&*")
        extra = _SENTINEL_CLIENT_COMMANDS_8 if version >= V8_0 else ()
        return (*rule, *_SENTINEL_CLIENT_COMMANDS, *extra)


def rules_of_release() -> tuple[tuple[str, ...], ...]:
    """The parts that rules consist of in this release of the charm."""
    return (
        _CLIENT_COMMANDS,
        _SCAN,
        _OWN_DATABASE,
        _SENTINEL_CLIENT_COMMANDS,
        _SENTINEL_CLIENT_COMMANDS_8,
    )
