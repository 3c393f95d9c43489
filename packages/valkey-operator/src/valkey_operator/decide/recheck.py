"""Whether a hook ended before the servers had settled, so that the unit has to look again.

Juju runs no hook because a server that was slow has come to itself, and Sentinel calls its script
for a change of primary only. What waits for neither would wait for update-status: five minutes.
"""

from __future__ import annotations

from ..model.facts import Facts
from ..model.start import Start, StartDecision
from ..model.steps import ResetSentinel
from . import tls
from .plan import Plan

DELAYS = (5, 10, 20, 40, 60, 60, 60)
"""Seconds until a unit looks again, one after the other; then it leaves it to update-status."""


def reason_to_recheck_unit(start: StartDecision | None) -> str:
    """What a unit's own server waits for that may come without a hook; empty if for nothing.

    Args:
        start: How the server started, or why not; None if the hook did not look.
    """
    if start is None or start.with_server or start.start is Start.BLOCKED:
        return ""
    return "this unit's server waits to start"


def reason_to_recheck_cluster(facts: Facts, plan: Plan) -> str:
    """What the leader waits for that may come without a hook; empty if for nothing.

    The text is the same as long as it waits for the same.

    Args:
        facts: What the leader saw last.
        plan: What it decided and did.
    """
    cluster = facts.cluster
    if not any(peer.started for peer in facts.peers):
        return ""
    if facts.absent_units:
        return f"no answer from {', '.join(facts.absent_units)}"
    if not cluster.primary:
        return "Sentinels do not agree on a primary"
    if tls.not_switched(facts, plan.shared.tls):
        return "servers switch TLS"
    behind = (
        facts.unit_at(server.address)
        for server in cluster.servers.values()
        if server.address != cluster.primary and not server.in_sync_with(cluster.primary)
    )
    reasons = [
        *(f"{unit} is not in sync" for unit in sorted(behind)),
        *(f"Sentinels have to forget {address}" for address in _not_forgotten(facts, plan)),
    ]
    return ", ".join(reasons)


def _not_forgotten(facts: Facts, plan: Plan) -> list[str]:
    """The addresses that clients are no longer told of, and that Sentinels still count.

    A Sentinel counts those that it knows. It is reset when it knows too many, and it may not have
    met the unit yet that came instead (2 s for its Sentinel, 10 s for its server).
    """
    before, after = facts.shared.published, plan.shared.published
    if before is None or before == after:
        return []
    if any(isinstance(step, ResetSentinel) for step in plan.steps):
        return []
    addresses = {peer.address for peer in facts.peers}
    return sorted({e.host for e in before.sentinel_endpoints} - addresses)


def next_delay(count: int) -> int | None:
    """Seconds until a unit looks again for the same reason; None if it has done so often enough.

    Args:
        count: How often it has already looked again.
    """
    return DELAYS[count] if count < len(DELAYS) else None
