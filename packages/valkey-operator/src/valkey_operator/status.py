"""What the application's and the units' statuses say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ops

from .accounts import Account, Version
from .facts import Facts
from .overlap import overlapping
from .primaries import majority
from .tls import leader

_SCRIPTS_ARE_APART = {(7, 2): 11, (8, 0): 6, (8, 1): 4}
"""The first patch of each series whose scripts cannot change what others' scripts do
(CVE-2025-46818); later series never let them."""

_NAMED = 3
"""How many are named before the rest is only counted."""


def sharing(accounts: Iterable[Account]) -> str:
    """Which relations share names with others, empty if none does."""
    listed = tuple(accounts)
    names = overlapping(listed)
    found = [
        f"{a.relation_id} ({a.prefix})" for a in sorted(listed, key=_order) if a.name in names
    ]
    return f"relations share keys: {_some(found)}" if found else ""


def _order(account: Account) -> tuple[int, str]:
    return account.relation_id, account.prefix


def _some(items: Sequence[str]) -> str:
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _advice(version: Version) -> str:
    """What of the server itself leaves a hole in the fence."""
    major, minor, patch = version
    safe = _SCRIPTS_ARE_APART.get((major, minor), 0)
    if patch >= safe:
        return ""
    return (
        f"Valkey {major}.{minor}.{patch} lets scripts act for other applications: update to"
        f" {major}.{minor}.{safe} or later"
    )


def application_status(
    facts: Facts, accounts: Sequence[Account], refused: Sequence[int] = ()
) -> ops.StatusBase:
    """What works, or what a person should look at.

    Args:
        facts: What the leader found.
        accounts: The client accounts.
        refused: Relations that are refused because isolation is strict.
    """
    cluster, peers = facts.cluster, facts.peers
    if not cluster.sentinels:
        return ops.WaitingStatus("the cluster is forming")
    if len(cluster.sentinels) < majority(len(peers)):
        deaf = [p.unit for p in peers if p.started and p.address not in cluster.sentinels]
        return ops.BlockedStatus(
            f"{len(cluster.sentinels)} of {len(peers)} Sentinels answer: no automatic failover;"
            f" bring back {', '.join(deaf) or 'the missing units'}"
        )
    if not cluster.primary:
        return ops.WaitingStatus(
            "no primary that the Sentinels agree on; failover may be going on"
        )
    shared = sharing(accounts)
    if shared and facts.settings and facts.settings.is_strict:
        return ops.BlockedStatus(
            f"isolation=strict, but since before {shared}; remove one of them, or set"
            " isolation=shared"
        )
    lost = [p.unit for p in peers if p.started and p.address not in cluster.servers]
    unit = next((p.unit for p in peers if p.address == cluster.primary), cluster.primary)
    said = [
        f"no answer from the server of {', '.join(lost)}" if lost else f"primary is {unit}",
        f"{len(accounts)} client account(s)",
        f"isolation=strict refuses relation {_some([str(i) for i in refused])}" if refused else "",
        shared,
        leader.progress(facts),
        _advice(cluster.oldest),
    ]
    return ops.ActiveStatus("; ".join(part for part in said if part))
