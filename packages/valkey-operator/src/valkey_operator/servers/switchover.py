"""A planned change of primary that loses no acknowledged write.

A plain ``SENTINEL FAILOVER`` leaves the old primary writable for about 11 s and loses all that
is written there; the server's own ``FAILOVER`` is not noticed by Sentinels, which then fail over
once more. So writes are paused first, by the server itself where it has a coordinated failover
(9.1), by ``CLIENT PAUSE`` where it has none.

The pause also stops the hello messages of Sentinels, which take a silent primary for dead after
``down-after``. So everything that takes time is done before the pause. Once a Sentinel was asked
to begin, writes stay paused until the old primary follows or the failover was given up: a Sentinel
or server that does not answer for a moment must not let it take writes beside the new one.

The Sentinel that leads a failover answers ``SENTINEL MASTER`` with the new primary a second after
the others do (7.2 to 9.1). Clients are not kept waiting for it: it is the last in their list, and
valkey-py, which asks that question, begins with the first.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from valkey_client.messages import PRIMARY_NAME

from ..clock import until
from ..model.cluster_state import ClusterState
from ..rules.config_files import NOT_PROMOTABLE, PORT, PROMOTABLE
from .cluster import Cluster
from .connection import Connection, RefusedError, ServerError

logger = logging.getLogger(__name__)

T = TypeVar("T")

COORDINATED = (9, 1, 0)
"""The first version whose Sentinels know ``SENTINEL FAILOVER name COORDINATED``."""

_CATCH_UP = 2.0
"""Seconds for what was written to reach the replicas."""

_PREPARATION = 15.0
"""Seconds in which every Sentinel has asked the replicas anew (they do so every 10 s)."""

_ATTEMPTS = 3

_CONVERGENCE = 20.0
"""Seconds for every server to follow the new primary; the next hook sees to who is late."""

_AGREEMENT = "the Sentinels to agree on a new primary"


class SwitchoverError(Exception):
    """The switchover did not complete; the message says how far it came."""


@dataclass(frozen=True)
class _Switchover:
    """One switchover.

    Attributes:
        cluster: Connections to all servers.
        old: The primary.
        eligible: The replicas that may be promoted.
        others: The replicas that may not.
        sentinels: All Sentinels, in the order in which clients know them.
        failover_time: Seconds in which a failover has ended, well or not.
        start: When it began, by the clock of the cluster.
    """

    cluster: Cluster
    old: str
    eligible: Sequence[str]
    others: Sequence[str]
    sentinels: Sequence[str]
    failover_time: float
    start: float

    def log(self, text: str, *arguments: object) -> None:
        """Log a phase, with the seconds since the switchover began."""
        elapsed = self.cluster.clock.monotonic() - self.start
        logger.info("switchover, %.1f s: " + text, elapsed, *arguments)

    @property
    def pause(self) -> float:
        """Seconds after which the old primary resumes by itself if this program dies."""
        return _CATCH_UP + self.failover_time + 5.0


def switch_over(cluster: Cluster, state: ClusterState, to: str = "") -> str:
    """Make a replica the primary, and wait until every server follows it.

    The Sentinel that led the failover may name it to clients a little later than the others.

    Args:
        cluster: Connections to all servers.
        state: What they say; the primary must be known.
        to: The address of the replica to promote, any if empty.

    Returns:
        The address of the new primary.

    Raises:
        SwitchoverError: If it did not complete.
    """
    old = state.primary
    candidates = [s.address for s in state.servers.values() if s.in_sync_with(old)]
    if not old:
        raise SwitchoverError("the Sentinels agree on no primary; try again later")
    if to == old:
        raise SwitchoverError(f"{to} is the primary already")
    if not candidates:
        raise SwitchoverError(f"no replica is in sync with the primary {old}")
    if to and to not in candidates:
        raise SwitchoverError(f"{to} is not in sync with the primary {old}; try again later")
    eligible = [to] if to else candidates
    others = [address for address in candidates if address not in eligible]
    # A Sentinel gives a failover up after its timeout.
    failover_time = 2.0 + max(s.failover_timeout for s in state.sentinels.values()) / 1000
    start = cluster.clock.monotonic()
    switchover = _Switchover(
        cluster, old, eligible, others, sorted(state.sentinels), failover_time, start
    )
    switchover.log("from primary %s to %s", old, to or "any replica in sync")
    # Sentinel promotes any replica but those with priority 0.
    try:
        for address in others:
            cluster.configure_server(address, "replica-priority", NOT_PROMOTABLE)
        _wait(
            switchover,
            lambda: _is_prepared(switchover),
            _PREPARATION,
            "every Sentinel to see the replicas",
        )
        if state.servers[old].version >= COORDINATED:
            leader = _begin(switchover, "COORDINATED")
            new = _wait(switchover, lambda: _agreed(switchover, leader), failover_time, _AGREEMENT)
        else:
            new = _pause_and_fail_over(switchover)
        switchover.log("%s is the primary", new)
        _wait(
            switchover,
            lambda: _all_follow(switchover, new),
            _CONVERGENCE,
            "replicas to follow the new primary",
        )
        switchover.log("all replicas follow %s", new)
        return new
    except ServerError as error:
        raise SwitchoverError(f"a server does not answer: {error}") from error
    finally:
        for address in others:
            # The leader's next hook repairs one that does not answer.
            with contextlib.suppress(ServerError):
                cluster.configure_server(address, "replica-priority", PROMOTABLE)


def _is_prepared(switchover: _Switchover) -> bool:
    """Whether every Sentinel would promote one of the eligible replicas and no other."""
    for address in switchover.sentinels:
        if switchover.cluster.observe_sentinel(address).primary != switchover.old:
            return False
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


def _pause_and_fail_over(switchover: _Switchover) -> str:
    """Pause writes, have Sentinel fail over, and make the old primary follow the new one."""
    primary = switchover.cluster.server(switchover.old)
    attempts = _ATTEMPTS
    while True:
        attempts -= 1
        primary.ask("CLIENT PAUSE", int(switchover.pause * 1000), "WRITE")
        switchover.log("writes to %s are paused", switchover.old)
        try:
            new = _fail_over(switchover)
        except SwitchoverError as error:
            primary.ask("CLIENT UNPAUSE")
            switchover.log("writes to %s go on: %s", switchover.old, error)
            if not attempts:
                raise
            switchover.cluster.clock.sleep(1)
        else:
            _demote(switchover, new)
            return new


def _fail_over(switchover: _Switchover) -> str:
    """Wait until the replicas have all writes, and have Sentinel promote one."""
    try:
        _wait(
            switchover,
            lambda: _have_caught_up(switchover),
            _CATCH_UP,
            "the replicas to catch up",
        )
        leader = _begin(switchover)
        return _wait(
            switchover,
            lambda: _agreed(switchover, leader),
            switchover.failover_time,
            _AGREEMENT,
        )
    except SwitchoverError:
        # A replica that was promoted all the same must be the only one to take writes.
        if new := _named_by_any(switchover):
            return new
        raise


def _demote(switchover: _Switchover, new: str) -> None:
    """Make the old primary follow, and disconnect its clients so that they find the new one.

    If it does not answer, its writes stay paused for the rest of the time, in which Sentinels
    make a primary follow that they have replaced.
    """
    old = switchover.cluster.server(switchover.old)
    _wait(
        switchover,
        lambda: _is_done(old, "REPLICAOF", new, PORT),
        _CATCH_UP,
        f"the old primary {switchover.old} to follow {new}",
    )
    switchover.log("%s follows %s", switchover.old, new)
    try:
        # A primary with too few replicas refuses writes (``min-replicas-to-write``).
        with contextlib.suppress(SwitchoverError, ServerError):
            _wait(
                switchover,
                lambda: _has_replicas(switchover, new),
                _CATCH_UP,
                "a replica to follow",
            )
        kinds = ("normal", "pubsub")
        old.ask_all([("CLIENT KILL", "TYPE", kind, "SKIPME", "yes") for kind in kinds])
    finally:
        old.ask("CLIENT UNPAUSE")


def _is_done(server: Connection, *command: str | int) -> bool:
    try:
        server.ask(*command)
    except ServerError:
        return False
    return True


def _begin(switchover: _Switchover, *options: str) -> str:
    """Ask one Sentinel after the other to fail over; the address of the first that does."""
    refusals: list[str] = []
    for address in reversed(switchover.sentinels):
        sentinel = switchover.cluster.sentinel(address)
        try:
            primary = switchover.cluster.observe_sentinel(address).primary
        except ServerError as error:
            refusals.append(str(error))
            continue
        if primary != switchover.old:
            raise SwitchoverError("the primary is changing already")
        try:
            sentinel.ask("SENTINEL FAILOVER", PRIMARY_NAME, *options)
        except RefusedError as error:
            refusals.append(str(error))
        except ServerError:
            return address  # It may have begun before it fell silent.
        else:
            switchover.log("the Sentinel at %s leads the failover", address)
            return address
    raise SwitchoverError(f"no Sentinel accepted the failover: {refusals[-1]}")


def _named_primaries(switchover: _Switchover, except_for: str = "") -> set[str]:
    """The primaries that Sentinels name; one that does not answer names none."""
    others = [address for address in switchover.sentinels if address != except_for]
    primaries: set[str] = set()
    for address in others or [except_for]:
        with contextlib.suppress(ServerError):
            primaries.add(switchover.cluster.observe_sentinel(address).primary)
    return primaries


def _agreed(switchover: _Switchover, leader: str) -> str:
    """The new primary, once every Sentinel that answers, but the one that leads, names it."""
    primaries = _named_primaries(switchover, leader)
    is_agreed = len(primaries) == 1 and switchover.old not in primaries
    return primaries.pop() if is_agreed else ""


def _named_by_any(switchover: _Switchover) -> str:
    """The new primary, if some Sentinel names one."""
    others = _named_primaries(switchover) - {switchover.old}
    return min(others) if others else ""


def _have_caught_up(switchover: _Switchover) -> bool:
    # The primary hears from its replicas once a second, so each is asked itself.
    try:
        offset = _replication(switchover, switchover.old)["master_repl_offset"]
        return all(
            _replication(switchover, address).get("slave_repl_offset", -1) >= offset
            for address in switchover.eligible
        )
    except ServerError:
        return False


def _has_replicas(switchover: _Switchover, new: str) -> bool:
    # A server that needs none does not say how many it has.
    return _replication(switchover, new).get("min_slaves_good_slaves", 1) > 0


def _all_follow(switchover: _Switchover, new: str) -> bool:
    replicas = {switchover.old, *switchover.eligible, *switchover.others} - {new}
    try:
        return all(switchover.cluster.observe_server(a).in_sync_with(new) for a in replicas)
    except ServerError:
        # A server that Sentinels make follow loses its connections, this one's too.
        return False


def _replication(switchover: _Switchover, address: str) -> Mapping[str, Any]:
    return switchover.cluster.server(address).ask("INFO", "replication")


def _wait(switchover: _Switchover, ready: Callable[[], T], seconds: float, condition: str) -> T:
    result = until(ready, seconds, interval=0.02, clock=switchover.cluster.clock)
    if not result:
        raise SwitchoverError(f"timed out after {seconds:.0f} s waiting for {condition}")
    return result
