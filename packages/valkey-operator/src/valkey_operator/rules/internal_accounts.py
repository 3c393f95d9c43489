"""The charm's own accounts: for itself, for replication, and for Sentinels."""

from __future__ import annotations

from collections.abc import Mapping

from .accounts import V8_0, Version

ADMIN = "charm-admin"
REPLICATION = "charm-replication"
SENTINEL = "charm-sentinel"
SENTINEL_PEER = "charm-sentinel-peer"

# Sentinel's account on the servers: monitoring, hello messages to the other Sentinels, and
# failover, coordinated ones included.
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
    extra = _SENTINEL_ON_SENTINELS_8 if version >= V8_0 else ()
    rules = {ADMIN: _ADMIN_ON_SENTINELS, SENTINEL_PEER: (*_SENTINEL_ON_SENTINELS, *extra)}
    return {name: ("on", f"#{digests[name]}", *rule) for name, rule in rules.items()}
