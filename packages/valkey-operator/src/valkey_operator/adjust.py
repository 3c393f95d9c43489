"""What running servers and Sentinels must be set to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .accounts import Account
from .configuration import MAX_LAG, PROMOTABLE, min_replicas
from .facts import Facts
from .limits import limits
from .observed import SentinelFacts, ServerFacts
from .primaries import majority
from .settings import Settings
from .steps import ConfigureSentinel, ConfigureServer
from .tls import leader
from .tls.peer import Word

_MINIMUM = "min-replicas-to-write"

_SWITCHING_DOWN_AFTER = 60
"""Seconds without an answer after which a Sentinel takes a server for down, at the least, while
some speak TLS and some do not: then that is no sign of a server that is down."""

KEYSPACE_EVENTS = "AK"
"""``notify-keyspace-events`` when somebody wants to be told, in the server's spelling: every kind,
in the channels named after keys. Those named after events carry everybody's keys."""


def adjustments(
    facts: Facts, settings: Settings, wanted: Mapping[str, Account], word: Word
) -> Iterable[ConfigureServer | ConfigureSentinel]:
    """The settings that are not what they must be, now that every server has its accounts.

    Args:
        facts: The state of everything.
        settings: The charm's configuration.
        wanted: The accounts that shall exist.
        word: What the leader tells of TLS.
    """
    for server in facts.cluster.servers.values():
        for name, value in _of_server(facts, settings, wanted, server).items():
            if server.settings.get(name) != value:
                yield ConfigureServer(server.address, name, value)
    for sentinel in facts.cluster.sentinels.values():
        for name, present, value in _of_sentinel(facts, settings, word, sentinel):
            if present != value:
                yield ConfigureSentinel(sentinel.address, name, str(value))


def _of_server(
    facts: Facts, settings: Settings, wanted: Mapping[str, Account], server: ServerFacts
) -> Mapping[str, str]:
    has_listeners = any(account.keyspace_events for account in wanted.values())
    values = {
        "min-replicas-max-lag": MAX_LAG,
        "notify-keyspace-events": KEYSPACE_EVENTS if has_listeners else "",
    }
    if not _waits_for_its_first_replica(facts, server):
        # A node that does not answer still counts: it is against its loss that this protects.
        started = sum(peer.started for peer in facts.peers)
        values[_MINIMUM] = str(min_replicas(started))
    memory = {peer.address: peer.memory for peer in facts.peers}
    if memory.get(server.address):
        values |= limits(settings, memory[server.address])
    if server.in_sync:
        values["replica-priority"] = PROMOTABLE
    return values


def _waits_for_its_first_replica(facts: Facts, server: ServerFacts) -> bool:
    """Whether the primary would refuse writes until one has loaded what there is."""
    return (
        server.address == facts.cluster.primary
        and server.settings.get(_MINIMUM) == "0"
        and not any(s.in_sync_with(server.address) for s in facts.cluster.servers.values())
    )


def _of_sentinel(
    facts: Facts, settings: Settings, word: Word, sentinel: SentinelFacts
) -> Iterable[tuple[str, int, int]]:
    """Each setting with its present value and the one that it must have."""
    down_after = settings.down_after
    if leader.is_switching(facts, word):
        down_after = max(down_after, _SWITCHING_DOWN_AFTER)
    failover_timeout = settings.failover_timeout * 1000
    yield "quorum", sentinel.quorum, majority(len(facts.peers))
    yield "down-after-milliseconds", sentinel.down_after, down_after * 1000
    yield "failover-timeout", sentinel.failover_timeout, failover_timeout
