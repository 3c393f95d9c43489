"""How a unit's servers leave the cluster without taking data with them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..clock import until
from ..model.cluster_state import ClusterState
from ..rules.config_files import PROMOTABLE
from .cluster import Cluster
from .connection import RefusedError, ServerError
from .switchover import SwitchoverError, switch_over

logger = logging.getLogger(__name__)

_TIMEOUT = 10.0
"""Seconds for a replica to be in sync. The hook fails after that, and Juju retries it."""

_LAST_SENTINEL = 5.0
"""Seconds for the Sentinel that leads a failover to finish it, which takes about one."""


def hand_over(cluster: Cluster, address: str) -> None:
    """Make sure that a unit's servers may stop: another is primary, no failover needs them.

    Args:
        cluster: Connections to all servers.
        address: Of the server that stops.

    Raises:
        SwitchoverError: If no other can be primary yet; stopping it would lose the data.
    """
    deadline = cluster.clock.monotonic() + _TIMEOUT
    while True:
        is_last_try = cluster.clock.monotonic() > deadline
        try:
            if _may_stop(cluster, address, is_last_try=is_last_try):
                return
        except (SwitchoverError, ServerError) as error:
            if is_last_try:
                raise SwitchoverError(
                    f"{error}; the primary {address} stops only when another unit has taken over."
                    " If no unit will come back, remove this one with --force: its data goes with"
                    " it, unless its storage is kept"
                ) from error
            logger.debug("%s cannot hand over yet: %s", address, error)
        cluster.clock.sleep(0.1)


def _may_stop(cluster: Cluster, address: str, *, is_last_try: bool) -> bool:
    """Whether nothing needs the server any more; if it is the primary, switch over first."""
    try:
        server = cluster.observe_server(address)
    except RefusedError:
        raise  # A primary that is busy, with a long script for example, has all data.
    except ServerError:
        # A moment without an answer is no reason to lose its data; one that is dead has nothing
        # to hand over.
        return is_last_try
    if not server.is_primary:
        try:
            others = cluster.sentinels_known_to(address)
        except ServerError:
            return is_last_try
        await_agreement(cluster, [address, *others])
        return True
    # The other units have left the peer relation by now; the server still knows its replicas.
    state = cluster.observe([address, *cluster.replicas_of(address)])
    if state.primary not in {"", address}:
        return True  # Sentinels have not made it a replica yet.
    _make_promotable(cluster, state, address)
    switch_over(cluster, state)
    return False


def _make_promotable(cluster: Cluster, state: ClusterState, address: str) -> None:
    """Allow the promotion of replicas that have all accounts and data.

    The leader does that, unless it is this unit, or another one that is being removed.
    """
    for server in state.servers.values():
        nodes = state.servers.get(address), state.sentinels.get(address)
        others = server, state.sentinels.get(server.address)
        has_accounts = all(
            a and b and a.accounts_digests == b.accounts_digests
            for a, b in zip(nodes, others, strict=True)
        )
        if has_accounts and server.in_sync_with(address):
            logger.info("%s may be promoted: it has all accounts and data", server.address)
            cluster.configure_server(server.address, "replica-priority", PROMOTABLE)


def await_agreement(cluster: Cluster, addresses: Sequence[str]) -> None:
    """Wait, for a few seconds, until all Sentinels that answer name the same primary.

    The one that leads a failover waits for every replica to follow; if one were stopped
    meanwhile, it would wait for ``failover-timeout``.
    """

    def is_agreed() -> bool:
        sentinels = cluster.observe(addresses).sentinels.values()
        return len({sentinel.primary for sentinel in sentinels}) < 2

    until(is_agreed, _LAST_SENTINEL, clock=cluster.clock)
