"""How a unit's servers leave the others without taking anything with them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from .cluster import Cluster
from .configuration import PROMOTABLE
from .connection import RefusedError, ServerError
from .observed import ClusterFacts
from .switchover import SwitchoverError, switch_over

_HAND_OVER = 10.0
"""Seconds for a replica to be in sync. The hook fails after that, and Juju tries it again."""

_LAST_SENTINEL = 5.0
"""Seconds for the Sentinel that leads a failover to come to its end, which takes about one."""


def hand_over(cluster: Cluster, address: str) -> None:
    """Let a unit's servers go: another is primary, and no failover needs them to come to its end.

    Args:
        cluster: Connections to all servers.
        address: Of the server that goes.

    Raises:
        SwitchoverError: If no other can be primary yet; stopping it would lose the data.
    """
    deadline = time.monotonic() + _HAND_OVER
    while True:
        is_late = time.monotonic() > deadline
        try:
            if _is_free(cluster, address, is_late=is_late):
                return
        except (SwitchoverError, ServerError) as error:
            if is_late:
                raise SwitchoverError(
                    f"{error}; the primary waits for another unit to take over before it stops."
                    " If none will come back, remove this unit with --force: its data goes with"
                    " it, unless its storage is kept"
                ) from error
        time.sleep(0.1)


def _is_free(cluster: Cluster, address: str, *, is_late: bool) -> bool:
    """Whether nobody needs the server any more; if it is the primary, make another one that."""
    try:
        role = cluster.observe_server(address).role
    except RefusedError:
        raise  # A primary that is busy, with a script that runs long for example, has all data.
    except ServerError:
        # A moment without an answer is no reason to take its data away; one that is dead has
        # nothing to hand over.
        return is_late
    if role != "master":
        try:
            others = cluster.sentinels_known_to(address)
        except ServerError:
            return is_late
        await_agreement(cluster, [address, *others])
        return True
    # The other units have left the peer relation by now; the server still knows them.
    facts = cluster.observe([address, *cluster.replicas_of(address)])
    if facts.primary not in {"", address}:
        return True  # Sentinels have not made it follow yet.
    _make_promotable(cluster, facts, address)
    switch_over(cluster, facts)
    return False


def _make_promotable(cluster: Cluster, facts: ClusterFacts, address: str) -> None:
    """Let replicas be promoted that have all accounts and data.

    The leader does that, unless it is this unit, or another one that goes.
    """
    for server in facts.servers.values():
        nodes = facts.servers.get(address), facts.sentinels.get(address)
        others = server, facts.sentinels.get(server.address)
        same = all(a and b and a.markers == b.markers for a, b in zip(nodes, others, strict=True))
        if same and server.in_sync_with(address):
            cluster.configure_server(server.address, "replica-priority", PROMOTABLE)


def await_agreement(cluster: Cluster, addresses: Sequence[str]) -> None:
    """Wait, for a few seconds, until all Sentinels that answer name the same primary.

    The one that leads a failover waits for every replica to follow; were one stopped meanwhile,
    it would wait for ``failover-timeout``.
    """
    deadline = time.monotonic() + _LAST_SENTINEL
    while time.monotonic() < deadline:
        sentinels = cluster.observe(addresses).sentinels.values()
        if len({sentinel.primary for sentinel in sentinels}) < 2:
            return
        time.sleep(0.1)
