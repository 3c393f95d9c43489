"""Whose turn it is to start its servers again; never two at a time.

A unit that needs it says so in its databag. The leader gives the turn to one after the other,
each time that all are well, to replicas first. The primary's unit gets it last, when a switchover
has made it a replica.
"""

from __future__ import annotations

from .facts import Facts


def next_turn(facts: Facts) -> str:
    """The unit that may restart its servers, empty if none may now."""
    waiting = [peer for peer in facts.peers if peer.needs_restart or peer.sentinel_is_late]
    if facts.shared.turn in {peer.unit for peer in waiting}:
        return facts.shared.turn
    if not waiting or not is_well(facts):
        return ""
    for peer in waiting:
        if peer.address != facts.cluster.primary or not peer.needs_restart:
            return peer.unit
    # The others may not have seen yet what this one has.
    (last,) = waiting
    return last.unit if all(peer.wanted == last.wanted for peer in facts.peers) else ""


def must_switch_over(facts: Facts, turn: str) -> bool:
    """Whether the unit whose turn it is has to hand over the primary before."""
    return len(facts.peers) > 1 and any(
        peer.unit == turn and peer.needs_restart and peer.address == facts.cluster.primary
        for peer in facts.peers
    )


def is_well(facts: Facts) -> bool:
    """Whether the cluster can do without one of its units for a while."""
    cluster = facts.cluster
    if not cluster.primary or facts.absent or not all(peer.started for peer in facts.peers):
        return False
    if len({node.tls for node in (*cluster.servers.values(), *cluster.sentinels.values())}) > 1:
        return False
    replicas = (s for a, s in cluster.servers.items() if a != cluster.primary)
    return all(s.in_sync_with(cluster.primary) for s in replicas) and all(
        sentinel.primary == cluster.primary for sentinel in cluster.sentinels.values()
    )
