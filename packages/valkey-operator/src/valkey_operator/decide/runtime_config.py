"""The settings that running servers and Sentinels must have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model.cluster_state import SentinelState, ServerState
from ..model.facts import Facts
from ..model.steps import ConfigureSentinel, ConfigureServer
from ..model.tls_policy import TlsPolicy
from ..rules.accounts import Account
from ..rules.config_files import MAX_LAG, PROMOTABLE, min_replicas
from ..rules.epochs import majority
from ..rules.resource_limits import resource_limits
from ..rules.settings import Settings
from . import tls
from .first_primary import choose_successor

_MIN_REPLICAS = "min-replicas-to-write"

_SWITCHING_DOWN_AFTER = 60
"""The least ``down-after``, in seconds, while some servers speak TLS and some do not: a Sentinel
cannot reach the others then, and must not take them for down."""

KEYSPACE_EVENTS = "AK"
"""``notify-keyspace-events`` when some account asks for them, in the server's spelling: every
kind, in the channels named after keys. Those named after events carry everybody's keys."""


def runtime_changes(
    facts: Facts, settings: Settings, accounts: Mapping[str, Account], policy: TlsPolicy
) -> Iterable[ConfigureServer | ConfigureSentinel]:
    """The settings that have to change, now that every server has its accounts.

    Args:
        facts: The state of everything.
        settings: The charm's configuration.
        accounts: The accounts that must exist.
        policy: What the leader tells of TLS.
    """
    for server in facts.cluster.servers.values():
        for name, value in _server_settings(facts, settings, accounts, server).items():
            if server.settings.get(name) != value:
                yield ConfigureServer(server.address, name, value)
    for sentinel in facts.cluster.sentinels.values():
        for name, present, value in _sentinel_settings(facts, settings, policy, sentinel):
            if present != value:
                yield ConfigureSentinel(sentinel.address, name, str(value))


def _server_settings(
    facts: Facts, settings: Settings, accounts: Mapping[str, Account], server: ServerState
) -> Mapping[str, str]:
    has_listeners = any(account.keyspace_events for account in accounts.values())
    values = {
        "min-replicas-max-lag": MAX_LAG,
        "notify-keyspace-events": KEYSPACE_EVENTS if has_listeners else "",
    }
    if not _waits_for_its_first_replica(facts, server):
        # A unit that does not answer still counts: the setting protects against its loss.
        started = sum(peer.started for peer in facts.peers)
        values[_MIN_REPLICAS] = str(min_replicas(started))
    memory = {peer.address: peer.memory for peer in facts.peers}
    if memory.get(server.address):
        values |= resource_limits(settings, memory[server.address])
    if server.in_sync or server.address == choose_successor(facts):
        values["replica-priority"] = PROMOTABLE
    return values


def _waits_for_its_first_replica(facts: Facts, server: ServerState) -> bool:
    """Whether the primary would refuse writes until its first replica has loaded the data."""
    return (
        server.address == facts.cluster.primary
        and server.settings.get(_MIN_REPLICAS) == "0"
        and not any(s.in_sync_with(server.address) for s in facts.cluster.servers.values())
    )


def _sentinel_settings(
    facts: Facts, settings: Settings, policy: TlsPolicy, sentinel: SentinelState
) -> Iterable[tuple[str, int, int]]:
    """Each setting with its present value and the one that it must have."""
    down_after = settings.down_after
    if tls.not_switched(facts, policy):
        down_after = max(down_after, _SWITCHING_DOWN_AFTER)
    failover_timeout = settings.failover_timeout * 1000
    yield "quorum", sentinel.quorum, majority(len(facts.peers))
    yield "down-after-milliseconds", sentinel.down_after, down_after * 1000
    yield "failover-timeout", sentinel.failover_timeout, failover_timeout
