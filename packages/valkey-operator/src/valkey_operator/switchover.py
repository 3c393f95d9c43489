"""A planned change of primary that loses no acknowledged write.

A plain ``SENTINEL FAILOVER`` leaves the old primary writable for about 11 s and loses all that
is written there; the server's own ``FAILOVER`` is not noticed by Sentinels, which then fail over
once more. So writes are paused first, by the server itself where it knows a coordinated failover
(9.1), by ``CLIENT PAUSE`` where it does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import valkey

from valkey_client.messages import PRIMARY_NAME

from .cluster import Cluster, ClusterFacts, Connection
from .node import PORT

T = TypeVar("T")

PAUSE = 20.0
"""Seconds for which writes are paused at most; all steps end before or the pause is lifted."""


class SwitchoverError(Exception):
    """The primary was not changed; the message says why. Writes go on at the old one."""


def switch_over(cluster: Cluster, facts: ClusterFacts, to: str = "") -> str:
    """Move the primary to a replica.

    Args:
        cluster: Connections to all servers.
        facts: What they say; the primary must be known.
        to: The address of the replica to promote, any if empty.

    Returns:
        The address of the new primary.

    Raises:
        SwitchoverError: If it did not happen.
    """
    old = facts.primary
    candidates = [s.address for s in facts.servers.values() if s.in_sync_with(old)]
    if not old:
        raise SwitchoverError("there is no primary that all Sentinels agree on; try again later")
    if to == old:
        raise SwitchoverError(f"{to} is the primary already")
    if not candidates or (to and to not in candidates):
        raise SwitchoverError(f"{to or 'no replica'} is in sync with the primary {old}")
    sentinels = sorted(facts.sentinels)
    others = [address for address in candidates if to and address != to]
    # Sentinel promotes whom it likes; with priority 0 it likes nobody but the chosen one.
    try:
        for address in others:
            cluster.configure_server(address, "replica-priority", "0")
        if others:
            _wait(lambda: _sees_priorities(cluster, sentinels, others), 15, "see the priorities")
        if facts.servers[old].version >= (9, 1, 0):
            _coordinated(cluster, sentinels)
        else:
            _paused(cluster, old, sentinels)
        return _converge(cluster, old, sentinels)
    except valkey.ValkeyError as error:
        raise SwitchoverError(f"a server does not answer: {error}") from error
    finally:
        for address in others:
            cluster.configure_server(address, "replica-priority", "100")


def _coordinated(cluster: Cluster, sentinels: Sequence[str]) -> None:
    _ask(cluster, sentinels, "COORDINATED")


def _paused(cluster: Cluster, old: str, sentinels: Sequence[str]) -> None:
    """Pause writes, wait until a replica has them all, and let Sentinel fail over."""
    primary = cluster.server(old)
    primary.ask("CLIENT PAUSE", int(PAUSE * 1000), "WRITE")
    try:
        _wait(lambda: _has_caught_up(primary), 5, "let a replica catch up")
        _ask(cluster, sentinels)
        new = _wait(lambda: _agreed(cluster, sentinels, old), PAUSE - 8, "agree on a new primary")
        primary.ask_all(
            [
                ("REPLICAOF", new, PORT),
                ("CLIENT KILL", "TYPE", "normal", "SKIPME", "yes"),
                ("CLIENT KILL", "TYPE", "pubsub", "SKIPME", "yes"),
            ],
            atomically=True,
        )
    finally:
        primary.ask("CLIENT UNPAUSE")


def _ask(cluster: Cluster, sentinels: Sequence[str], *options: str) -> None:
    """Ask one Sentinel after the other until one begins."""
    refusals: list[str] = []
    deadline = time.monotonic() + 12
    while time.monotonic() < deadline:
        for address in sentinels:
            try:
                cluster.sentinel(address).ask("SENTINEL FAILOVER", PRIMARY_NAME, *options)
            except valkey.ResponseError as error:
                # A Sentinel knows its replicas from an INFO every 10 s, so it may not yet.
                refusals.append(str(error))
            else:
                return
        time.sleep(1)
    raise SwitchoverError(f"no Sentinel begins a failover: {refusals[-1]}")


def _converge(cluster: Cluster, old: str, sentinels: Sequence[str]) -> str:
    new = _wait(lambda: _agreed(cluster, sentinels, old), PAUSE, "agree on a new primary")
    _wait(lambda: cluster.observe_server(old).in_sync_with(new), PAUSE, "see the old one follow")
    return new


def _agreed(cluster: Cluster, sentinels: Sequence[str], old: str) -> str:
    """The new primary, once every Sentinel names it."""
    named = {cluster.observe_sentinel(address).primary for address in sentinels}
    new = named.pop() if len(named) == 1 else old
    return "" if new == old else new


def _has_caught_up(primary: Connection) -> bool:
    role, offset, replicas = primary.ask("ROLE")
    return role == "master" and any(int(r[2]) >= int(offset) for r in replicas)


def _sees_priorities(cluster: Cluster, sentinels: Sequence[str], others: Sequence[str]) -> bool:
    """Whether no Sentinel would promote one of the others; it asks them every 10 s."""
    for address in sentinels:
        for fields in cluster.sentinel(address).ask("SENTINEL REPLICAS", PRIMARY_NAME):
            replica = dict(zip(fields[::2], fields[1::2], strict=True))
            if replica["ip"] in others and replica["slave-priority"] != "0":
                return False
    return True


def _wait(ready: Callable[[], T], seconds: float, what: str) -> T:
    deadline = time.monotonic() + seconds
    while not (result := ready()):
        if time.monotonic() > deadline:
            raise SwitchoverError(f"it took more than {seconds:.0f} s to {what}")
        time.sleep(0.05)
    return result
