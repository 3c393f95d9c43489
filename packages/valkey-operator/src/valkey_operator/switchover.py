"""A planned change of primary that loses no acknowledged write.

A plain ``SENTINEL FAILOVER`` leaves the old primary writable for about 11 s and loses all that
is written there; the server's own ``FAILOVER`` is not noticed by Sentinels, which then fail over
once more. So writes are paused first, by the server itself where it knows a coordinated failover
(9.1), by ``CLIENT PAUSE`` where it does not.

The pause also stops the hello messages of Sentinels, which take a silent primary for dead after
``down-after``. So everything that takes time is done before the pause, and nothing under it is
tried twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from valkey_client.messages import PRIMARY_NAME

from .cluster import Cluster, ClusterFacts
from .configuration import PORT
from .connection import RefusedError, ServerError

T = TypeVar("T")

COORDINATED = (9, 1, 0)
"""The first version whose Sentinels know ``SENTINEL FAILOVER name COORDINATED``."""

PAUSE = 20.0
"""Seconds after which a server resumes by itself if this program dies."""

_PREPARATION = 15.0
"""Seconds in which every Sentinel has asked the replicas anew (they do so every 10 s)."""

_ATTEMPTS = 3


class SwitchoverError(Exception):
    """The switchover did not come to its end; the message says how far it came."""


@dataclass(frozen=True)
class _Switchover:
    """One switchover.

    Attributes:
        cluster: Connections to all servers.
        old: The primary.
        eligible: The replicas that may be promoted.
        others: The replicas that may not.
        sentinels: All Sentinels.
    """

    cluster: Cluster
    old: str
    eligible: Sequence[str]
    others: Sequence[str]
    sentinels: Sequence[str]


def switch_over(cluster: Cluster, facts: ClusterFacts, to: str = "") -> str:
    """Move the primary to a replica.

    Args:
        cluster: Connections to all servers.
        facts: What they say; the primary must be known.
        to: The address of the replica to promote, any if empty.

    Returns:
        The address of the new primary.

    Raises:
        SwitchoverError: If it did not come to its end.
    """
    old = facts.primary
    candidates = [s.address for s in facts.servers.values() if s.in_sync_with(old)]
    if not old:
        raise SwitchoverError("there is no primary that all Sentinels agree on; try again later")
    if to == old:
        raise SwitchoverError(f"{to} is the primary already")
    if not candidates or (to and to not in candidates):
        raise SwitchoverError(f"{to or 'no replica'} is in sync with the primary {old}")
    eligible = [to] if to else candidates
    others = [address for address in candidates if address not in eligible]
    switchover = _Switchover(cluster, old, eligible, others, sorted(facts.sentinels))
    # Sentinel promotes whom it likes; with priority 0 it likes nobody but the chosen one.
    try:
        for address in others:
            cluster.configure_server(address, "replica-priority", "0")
        _wait(
            lambda: _is_prepared(switchover), _PREPARATION, "let every Sentinel see the replicas"
        )
        if facts.servers[old].version >= COORDINATED:
            _begin(switchover, "COORDINATED")
        else:
            _pause_and_fail_over(switchover)
        return _converge(switchover)
    except ServerError as error:
        raise SwitchoverError(f"a server does not answer: {error}") from error
    finally:
        for address in others:
            cluster.configure_server(address, "replica-priority", "100")


def _is_prepared(switchover: _Switchover) -> bool:
    """Whether every Sentinel would promote one of the eligible replicas and no other."""
    for address in switchover.sentinels:
        listed: dict[str, dict[str, str]] = {}
        for fields in switchover.cluster.sentinel(address).ask("SENTINEL REPLICAS", PRIMARY_NAME):
            replica = dict(zip(fields[::2], fields[1::2], strict=True))
            listed[replica["ip"]] = replica
        for other in switchover.others:
            if other in listed and listed[other]["slave-priority"] != "0":
                return False
        for eligible in switchover.eligible:
            replica = listed.get(eligible, {})
            if replica.get("slave-priority", "0") == "0" or replica["flags"] != "slave":
                return False
            if replica["master-link-status"] != "ok":
                return False
    return True


def _pause_and_fail_over(switchover: _Switchover) -> None:
    """Pause writes, wait until the replicas have them all, and let Sentinel fail over."""
    primary = switchover.cluster.server(switchover.old)
    for attempt in range(1, _ATTEMPTS + 1):
        primary.ask("CLIENT PAUSE", int(PAUSE * 1000), "WRITE")
        try:
            _wait(lambda: _have_caught_up(switchover), 2, "let the replicas catch up")
            _begin(switchover)
            new = _wait(lambda: _agreed(switchover), PAUSE - 8, "agree on a new primary")
            _demote(switchover, new)
        except SwitchoverError:
            # Whoever was promoted all the same must be the only one to take writes.
            if new := _named_by_any(switchover):
                _demote(switchover, new)
            elif attempt == _ATTEMPTS:
                raise
        else:
            return
        finally:
            primary.ask("CLIENT UNPAUSE")
        if _named_by_any(switchover):
            return
        time.sleep(1)


def _demote(switchover: _Switchover, new: str) -> None:
    """Make the old primary follow, and let its clients look for the new one."""
    switchover.cluster.server(switchover.old).ask_all(
        [
            ("REPLICAOF", new, PORT),
            ("CLIENT KILL", "TYPE", "normal", "SKIPME", "yes"),
            ("CLIENT KILL", "TYPE", "pubsub", "SKIPME", "yes"),
        ],
        atomically=True,
    )


def _begin(switchover: _Switchover, *options: str) -> None:
    """Ask one Sentinel after the other until one begins, once each."""
    refusals: list[str] = []
    for address in switchover.sentinels:
        if switchover.cluster.observe_sentinel(address).primary != switchover.old:
            raise SwitchoverError("the primary is changing already")
        try:
            switchover.cluster.sentinel(address).ask("SENTINEL FAILOVER", PRIMARY_NAME, *options)
        except RefusedError as error:
            refusals.append(str(error))
        else:
            return
    raise SwitchoverError(f"no Sentinel begins a failover: {refusals[-1]}")


def _converge(switchover: _Switchover) -> str:
    new = _wait(lambda: _agreed(switchover), PAUSE, "agree on a new primary")
    _wait(
        lambda: switchover.cluster.observe_server(switchover.old).in_sync_with(new),
        PAUSE,
        "see the old primary follow",
    )
    return new


def _names(switchover: _Switchover) -> set[str]:
    observe = switchover.cluster.observe_sentinel
    return {observe(address).primary for address in switchover.sentinels}


def _agreed(switchover: _Switchover) -> str:
    """The new primary, once every Sentinel names it."""
    names = _names(switchover)
    return names.pop() if len(names) == 1 and switchover.old not in names else ""


def _named_by_any(switchover: _Switchover) -> str:
    """The new primary, if some Sentinel names one."""
    others = _names(switchover) - {switchover.old}
    return min(others) if others else ""


def _have_caught_up(switchover: _Switchover) -> bool:
    role, offset, replicas = switchover.cluster.server(switchover.old).ask("ROLE")
    offsets = {replica[0]: int(replica[2]) for replica in replicas} if role == "master" else {}
    return all(offsets.get(address, -1) >= int(offset) for address in switchover.eligible)


def _wait(ready: Callable[[], T], seconds: float, what: str) -> T:
    deadline = time.monotonic() + seconds
    while not (result := ready()):
        if time.monotonic() > deadline:
            raise SwitchoverError(f"it took more than {seconds:.0f} s to {what}")
        time.sleep(0.05)
    return result
