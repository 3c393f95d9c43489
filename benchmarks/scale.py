"""The operator with many relations: how long a new requirer and a failover take, in localjuju.

Three units with real servers. Every hook is a process and so is every hook command, unless
another driver is asked for. The relations but one lead to requirers that run no charm.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import _charms
from _calls import Recorder
from _provider_calls import admin_password
from _table import Table, show
from _tenants import Tenants, v1_bag

from localjuju import Juju
from localjuju.drivers import DriverName
from valkey_operator.rules.epochs import latest_primary
from valkey_operator.servers.cluster import connected

APP, REQUIRER = "provider", "requirer"
LEADER = f"{APP}/1"


@dataclass(frozen=True)
class Result:
    """What was measured with so many relations.

    Attributes:
        serve: Seconds to answer all of them in one hook.
        ready: Seconds from ``integrate`` until one more requirer has its access.
        promoted: Seconds from the end of the primary until there is another.
        failover: Seconds from the end of the primary until the last databag names the other.
        calls: Hook commands of the hook that told them.
        peak: The most memory that a hook took, in MiB.
    """

    serve: float
    ready: float
    promoted: float
    failover: float
    calls: int
    peak: float


def measure(relations: int, driver: DriverName) -> Result:
    """Run the operator with so many relations."""
    with _charms.model(driver) as juju:
        _charms.deploy(juju, _charms.OPERATOR, APP, 3)
        # The first unit is the primary; the leader shall be another, whose hook tells requirers.
        juju.set_leader(LEADER)
        _charms.deploy(juju, _charms.REQUIRER, REQUIRER)
        tenants = Tenants(juju, APP)
        made = [tenants.add(v1_bag([f"app{n}:*"]), seen=True) for n in range(relations - 1)]
        start = time.perf_counter()
        tenants.serve_all()
        serve = time.perf_counter() - start

        start = time.perf_counter()
        juju.integrate(APP, REQUIRER)
        _await(lambda: _has_access(juju))
        ready = time.perf_counter() - start
        _charms.settle(juju)

        ids = [*(tenant.relation for tenant in made), juju.relation_id(REQUIRER, "valkey")]
        recorder = Recorder(juju)
        start = time.perf_counter()
        promoted = _fail_over(juju, ids) - start
        failover = time.perf_counter() - start
        _charms.settle(juju)
        calls = max(hook.total for hook in recorder.take())
        return Result(serve, ready, promoted, failover, calls, _peak(juju))


def _has_access(juju: Juju) -> bool:
    logged = juju.timeline.entries("log")
    return any(e.subject == f"{REQUIRER}/0" and e.text.startswith("ACCESS rel") for e in logged)


def _fail_over(juju: Juju, relations: list[int]) -> float:
    """Kill the primary and wait until every databag names another; says when there was one."""

    def named(relation: int) -> str:
        text = juju.databag(relation, APP).get("requests", "")
        found = re.search(r'"endpoints": "([^:]+):', text)
        return found[1] if found else ""

    old = named(relations[-1])
    units = {unit: juju.address(unit) for unit in juju.status().apps[APP].units}
    (unit,) = (unit for unit, address in units.items() if address == old)
    folder = juju.directory / "agents" / f"unit-{unit.replace('/', '-')}" / "valkey"
    os.kill(int((folder / "server.pid").read_text().split()[0]), signal.SIGKILL)
    with connected(admin_password(juju)) as cluster:
        others = [address for address in units.values() if address != old]
        _await(lambda: latest_primary(cluster.primary_claims(others)) not in {"", old})
    promoted = time.perf_counter()

    # All databags show what one hook has written at the same moment.
    _await(lambda: all(named(relation) != old for relation in reversed(relations)))
    return promoted


def _await(ready: Callable[[], bool], seconds: float = 600.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready after {seconds} s")
        time.sleep(0.02)


def _peak(juju: Juju) -> float:
    said = [e.text for e in juju.timeline.entries("log") if e.text.startswith("PEAK ")]
    return max(int(text.split()[1]) for text in said) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--relations", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--driver", choices=get_args(DriverName), default="process")
    options = parser.parse_args()
    rows: list[list[int | float]] = []
    for relations in options.relations:
        r = measure(relations, options.driver)
        cells = (r.serve, r.ready, r.promoted, r.failover, r.calls, r.calls / relations, r.peak)
        rows.append([relations, *cells])
    columns = ["N", "serve N", "ready", "promoted", "told", "calls", "calls/N", "peak MiB"]
    title = f"Operator with three units, driver {options.driver}: seconds, calls of the last hook"
    show([Table(title, columns, rows)], as_json=options.json)


if __name__ == "__main__":
    main()
