"""Milliseconds that one event takes in localjuju, for each of its drivers.

``process`` pays for an interpreter and its imports as production does; ``warm`` does not.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import get_args

import _charms
from _table import Cell, Table, show
from _tenants import Tenants, v1_bag

from localjuju import Juju
from localjuju.drivers import DriverName

APP = "provider"


def update_status(juju: Juju) -> None:
    """One event in which the charm does nothing."""
    juju.update_status(f"{APP}/0")
    _charms.settle(juju)


def measure(driver: DriverName, runs: int) -> list[list[Cell]]:
    """A row for each kind of event."""

    def median(action: object) -> float:
        assert callable(action)
        taken: list[float] = []
        for _ in range(runs):
            start = time.perf_counter()
            action()
            taken.append(time.perf_counter() - start)
        return statistics.median(taken) * 1000

    rows: list[list[Cell]] = []
    with _charms.model(driver) as juju:
        _charms.deploy(juju, _charms.EMPTY, APP)
        rows.append([driver, "update-status, empty charm", median(lambda: update_status(juju))])
    with _charms.model(driver) as juju:
        _charms.deploy(juju, _charms.PROVIDER, APP)
        tenants = Tenants(juju, APP)
        relation = tenants.add(v1_bag(["app:*"]), seen=True)
        tenants.serve_all()

        def touch() -> None:
            tenants.touch(relation)
            _charms.settle(juju)

        rows.append([driver, "update-status, our provider", median(lambda: update_status(juju))])
        rows.append([driver, "relation-changed, our provider", median(touch)])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs", type=int, default=25, help="events for each figure")
    options = parser.parse_args()
    rows: list[list[Cell]] = []
    for driver in get_args(DriverName):
        rows += measure(driver, options.runs)
    title = f"localjuju: median of {options.runs} events"
    show([Table(title, ["driver", "event", "ms"], rows)], as_json=options.json)


if __name__ == "__main__":
    main()
