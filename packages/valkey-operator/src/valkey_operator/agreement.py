"""Looking at a cluster whose primary is being changed at this moment.

Sentinels learn of a change one after the other: the one that leads the failover names the new
primary about a second after the others do (7.2 to 9.1). A hook that is woken by the first of them
waits for the rest, or it would publish nothing, and nobody would wake it again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from .cluster import Cluster
from .observed import ClusterFacts
from .workload.wake import Move

_SECONDS = 5.0
"""How long a hook waits; the next hook, update-status at the latest, sees to what is late."""

_PAUSE = 0.1


def observe_settled(
    cluster: Cluster, addresses: Iterable[str], move: Move, published: str
) -> ClusterFacts:
    """Ask every server and Sentinel, until none is in the middle of a change or time is up.

    Args:
        cluster: Connections.
        addresses: Whom to ask.
        move: The change that this hook was woken for.
        published: What clients were told last.
    """
    asked = list(addresses)
    cluster.doubt(move.old)
    deadline = time.monotonic() + _SECONDS
    while True:
        facts = cluster.observe(asked)
        if not is_changing(facts, move, published) or time.monotonic() > deadline:
            return facts
        time.sleep(_PAUSE)


def is_changing(facts: ClusterFacts, move: Move, published: str) -> bool:
    """Whether Sentinels or replicas are about to say something else.

    Args:
        facts: What they say.
        move: The change that this hook was woken for.
        published: What clients were told last.
    """
    names = {sentinel.primary for sentinel in facts.sentinels.values()}
    if facts.primary in {"", move.old} and (move.new or len(names) > 1):
        return True
    if not facts.primary:
        return False
    # A replica that clients know, and that does not follow, will in a moment.
    others = facts.servers.keys() - {facts.primary, move.old}
    return any(
        not facts.servers[a].in_sync_with(facts.primary) for a in others if f"{a}:" in published
    )
