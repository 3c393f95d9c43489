"""Which unit may restart its servers; never two at a time.

A unit that needs a restart says so in its databag. The leader permits one unit after the other,
each time that all servers are healthy, replicas first. The primary's unit comes last, when a
switchover has made its server a replica.
"""

from __future__ import annotations

from ..model.facts import Facts
from ..model.peer_data import RestartNeed


def next_unit_to_restart(facts: Facts) -> str:
    """The unit that may restart its servers, empty if none may now."""
    waiting = [peer for peer in facts.peers if peer.restart_need is not RestartNeed.NONE]
    if facts.shared.restarting_unit in {peer.unit for peer in waiting}:
        return facts.shared.restarting_unit
    if not waiting or not is_healthy(facts):
        return ""
    for peer in waiting:
        is_primary = peer.address == facts.cluster.primary
        if not is_primary or peer.restart_need is RestartNeed.SENTINEL:
            return peer.unit
    # The other units may not have read the new configuration yet.
    (last,) = waiting
    has_last = all(peer.config_digest == last.config_digest for peer in facts.peers)
    return last.unit if has_last else ""


def must_switch_over(facts: Facts, unit: str) -> bool:
    """Whether the unit that is to restart has to hand over the primary first."""
    return len(facts.peers) > 1 and any(
        peer.unit == unit
        and peer.restart_need is RestartNeed.SERVERS
        and peer.address == facts.cluster.primary
        for peer in facts.peers
    )


def is_healthy(facts: Facts) -> bool:
    """Whether the cluster can do without one of its units for a while."""
    cluster = facts.cluster
    if not cluster.primary or facts.absent_units or not all(peer.started for peer in facts.peers):
        return False
    if len({node.tls for node in (*cluster.servers.values(), *cluster.sentinels.values())}) > 1:
        return False
    replicas = (s for a, s in cluster.servers.items() if a != cluster.primary)
    return all(s.in_sync_with(cluster.primary) for s in replicas) and all(
        sentinel.primary == cluster.primary for sentinel in cluster.sentinels.values()
    )
