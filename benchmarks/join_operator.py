"""Whether added units join an operator whose only unit holds much and is written to, and how soon.

One unit holds so many MB for an application that overwrites them at so many MB/s. Two units are
added. They have joined when the relation names both as replicas, which is without an
update-status: by hooks and rechecks alone. ``join_under_load.py`` compares the limits that decide
it on bare servers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jubilant
from _table import Table, show
from join_under_load import BATCH, VALUE, Writer
from valkey import Valkey as Connection

import localjuju
from valkey_client_testing import Valkey, find_binary

ROOT = Path(__file__).parents[1]
OPERATOR, APPLICATION, PREFIX = "valkey", "greeter", "application:"


@dataclass(frozen=True)
class Joined:
    """What one run came to.

    Attributes:
        seconds: Until clients were told of both replicas; infinite if they were not in time.
        rate: MB/s that were written meanwhile.
        longest_gap: Seconds without an acknowledged write.
        missing: How many of the keys the replica with the fewest lacks at the end.
        status: What the application's status said last of a sync that went on.
    """

    seconds: float
    rate: float
    longest_gap: float
    missing: int
    status: str


def await_until(predicate: Callable[[], object], limit: float) -> float:
    """The seconds until something is true; infinite if it is not in time."""
    begin = time.monotonic()
    while time.monotonic() - begin < limit:
        if predicate():
            return time.monotonic() - begin
        time.sleep(0.2)
    return float("inf")


def measure(*, megabytes: int, rate: float, limit: float, tls: bool) -> Joined:
    """Deploy, fill, write, and add two units."""
    keys = megabytes * 1_000_000 // VALUE
    with localjuju.Juju(environment=find_binary().environment()) as juju:
        juju.deploy(ROOT, OPERATOR)
        juju.deploy(ROOT / "examples" / APPLICATION, APPLICATION)
        if tls:
            juju.deploy(ROOT / "examples" / "certificates", "certificates")
            juju.integrate(OPERATOR, "certificates")
        juju.integrate(OPERATOR, APPLICATION)
        juju.wait(jubilant.all_active, timeout=120)
        juju.settle(120)
        valkey = Valkey(juju)
        filler = Writer(valkey.connect(APPLICATION), keys, 1e9, PREFIX)
        filler.start()
        await_until(lambda: filler.written * BATCH >= keys, limit)
        filler.stop()
        writer = Writer(valkey.connect(APPLICATION), keys, rate, PREFIX)
        writer.start()
        begin = time.monotonic()
        juju.add_unit(OPERATOR, num_units=2)
        seconds = await_until(
            lambda: len(valkey.access(APPLICATION).read_only_endpoints) == 2, limit
        )
        took = time.monotonic() - begin
        writer.stop()
        time.sleep(2)  # For the replicas to take the last writes.
        return Joined(
            seconds,
            writer.written / took,
            writer.longest_gap,
            keys - min(keys_of_replicas(valkey), default=0),
            last_status(juju),
        )


def keys_of_replicas(valkey: Valkey) -> list[int]:
    """How many keys each replica has."""
    access = valkey.access(APPLICATION)
    counts: list[int] = []
    for endpoint in access.read_only_endpoints:
        tls: dict[str, Any] = (
            {"ssl": True, "ssl_ca_data": access.topology.tls_ca} if access.topology.tls else {}
        )
        connection = Connection(
            endpoint.host, endpoint.port, username=access.username, password=access.password, **tls
        )
        counts.append(int(connection.info("keyspace").get("db0", {}).get("keys", 0)))
        connection.close()
    return counts


def last_status(juju: localjuju.Juju) -> str:
    """What the application's status said last of a sync."""
    texts = [e.text for e in juju.timeline.entries("status") if "is syncing" in e.text]
    return texts[-1].partition("; ")[2] if texts else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--rate", type=float, default=28, help="MB/s")
    parser.add_argument("--limit", type=float, default=180, help="seconds")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [
        measure(
            megabytes=options.megabytes, rate=options.rate, limit=options.limit, tls=options.tls
        )
        for _ in range(options.times)
    ]
    title = (
        f"{options.megabytes} MB, {options.rate:g} MB/s, {'TLS' if options.tls else 'plain'},"
        f" Valkey {find_binary().name}"
    )
    columns = ("joined, s", "written, MB/s", "longest gap, s", "keys missing", "status")
    cells = [
        (round(r.seconds, 1), round(r.rate, 1), round(r.longest_gap, 2), r.missing, r.status)
        for r in rows
    ]
    show([Table(title, columns, cells)], as_json=options.json)


if __name__ == "__main__":
    main()
