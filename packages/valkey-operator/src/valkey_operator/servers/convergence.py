"""Observing a cluster whose primary is changing at this moment.

Sentinels learn of a change one after the other: the one that leads the failover names the new
primary about a second after the others do (7.2 to 9.1). A hook that is dispatched by the first of
them waits for the rest; otherwise it would publish nothing, and no other hook would follow.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..clock import until
from ..model.cluster_state import ClusterState
from ..model.primary_change import PrimaryChange
from ..model.published_topology import PublishedTopology
from .cluster import Cluster

_STARTED = 60
"""Seconds of uptime of a server that has just started: a replica tries each second to connect to a
primary that still loads its data."""

_TIMEOUT = 5.0
"""Seconds that a hook waits; the next hook, update-status at the latest, does what is left."""


def observe_until_stable(
    cluster: Cluster,
    addresses: Iterable[str],
    primary_change: PrimaryChange,
    published: PublishedTopology | None,
) -> ClusterState:
    """Ask every server and Sentinel, until none is about to change, or time is up.

    Args:
        cluster: Connections.
        addresses: The units to ask.
        primary_change: The change that this hook was dispatched for.
        published: What clients were told last.
    """
    units = list(addresses)
    cluster.expect_silence(primary_change.old)
    state = ClusterState()

    def is_stable() -> bool:
        nonlocal state
        state = cluster.observe(units)
        return not is_changing(state, primary_change, published)

    until(is_stable, _TIMEOUT, clock=cluster.clock)
    return state


def is_changing(
    state: ClusterState, primary_change: PrimaryChange, published: PublishedTopology | None
) -> bool:
    """Whether Sentinels or replicas are about to say something else.

    Args:
        state: What they say.
        primary_change: The change that this hook was dispatched for.
        published: What clients were told last.
    """
    primaries = {sentinel.primary for sentinel in state.sentinels.values()}
    if state.primary in {"", primary_change.old} and (primary_change.new or len(primaries) > 1):
        return True
    if not state.primary:
        return False
    # A replica that clients know, and that does not follow the primary yet, will in a moment. So
    # will one that has just started, unless it receives all data.
    known = published.server_hosts if published else frozenset[str]()
    return any(
        server.address in known or (server.uptime < _STARTED and server.synced_bytes is None)
        for server in state.servers.values()
        if server.address not in {state.primary, primary_change.old}
        and not server.in_sync_with(state.primary)
    )
