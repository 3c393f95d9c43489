"""What of the service does not work, from what servers and Sentinels say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..model.cluster_state import ServerState
from ..model.facts import Facts
from ..rules.settings import LEAST_SAFE_DOWN_AFTER

_MB = 1_000_000


def full_servers(facts: Facts) -> str:
    """Which servers have no connection left, and what to do; empty if all have."""
    if not facts.cluster.full_servers:
        return ""
    units = _units(facts, facts.cluster.full_servers)
    return (
        f"Clients hold all connections of Valkey on {units}, and nobody else can connect: let the"
        " application close some, or remove its relation"
    )


def service_problem(facts: Facts) -> str:
    """Why clients cannot write, and what to do; empty if they can.

    That no replica is in sync is a problem when update-status sees it: before that it may be on
    its way.
    """
    cluster = facts.cluster
    primary = cluster.servers[cluster.primary]
    name = facts.unit_at(primary.address)
    if primary.cannot_write:
        return (
            f"Valkey on {name}, the primary, cannot write to its disk and refuses writes: free"
            " space on the storage data, or grow it"
        )
    needed = int(primary.settings.get("min-replicas-to-write", "0"))
    in_sync = sum(server.in_sync_with(primary.address) for server in cluster.servers.values())
    if facts.is_periodic and in_sync < needed:
        return f"Writes are refused: no replica is in sync with {name}; {_list(replicas(facts))}"
    return ""


def remarks(facts: Facts) -> Iterator[str]:
    """What works less well than it should."""
    cluster = facts.cluster
    if facts.settings and facts.settings.down_after < LEAST_SAFE_DOWN_AFTER:
        yield (
            f"down-after is below {LEAST_SAFE_DOWN_AFTER}: after a pause of the machines Sentinels"
            " may not fail over"
        )
    for server in cluster.servers.values():
        name = facts.unit_at(server.address)
        if server.is_primary and server.address != cluster.primary:
            yield f"{name} is a second primary, and what is written to it will be lost"
        elif server.cannot_write:
            yield f"{name} cannot write to its disk"
    yield from replicas(facts)
    if cluster.idle_sentinels:
        yield f"Sentinel of {_units(facts, cluster.idle_sentinels)} monitors nothing"
    in_tilt = [s.address for s in cluster.sentinels.values() if s.in_tilt]
    if in_tilt:
        yield f"Sentinel of {_units(facts, in_tilt)} is in TILT mode and does not fail over"


def replicas(facts: Facts) -> Iterator[str]:
    """The replicas that are not in sync, and how far they are."""
    cluster = facts.cluster
    primary = cluster.servers[cluster.primary]
    for server in cluster.servers.values():
        if not server.is_primary and not server.in_sync_with(primary.address):
            yield _progress(facts.unit_at(server.address), server, primary)


def _progress(name: str, replica: ServerState, primary: ServerState) -> str:
    if replica.synced_bytes is None:
        return f"{name} is not in sync with the primary"
    # A diskless sync does not say how long it is.
    return (
        f"{name} is syncing: {replica.synced_bytes // _MB} MB received, the primary holds about"
        f" {primary.used_memory // _MB} MB"
    )


def _units(facts: Facts, addresses: Iterable[str]) -> str:
    return ", ".join(sorted(facts.unit_at(address) for address in addresses))


def _list(texts: Iterable[str]) -> str:
    return "; ".join(texts) or "bring back the other units"
