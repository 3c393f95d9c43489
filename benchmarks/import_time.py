"""What importing a library adds to a hook, over ``import ops``: time and resident memory.

Each figure is the median of several processes. Time is that of the processor, which a busy machine
lengthens less than time on the clock; both are shown. Bytecode is warm, as every hook but the
first finds it, or cold: then each module is compiled from its source, as in the first hook after a
deploy or an upgrade.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import _charms
from _table import Table, show

from localjuju.charm import CharmSpec
from localjuju.environment import Environments
from localjuju.host import Host

PROBE = """
import json, sys, time
from pathlib import Path

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4

exec(sys.argv[2])
memory, cpu, wall = resident(), time.process_time(), time.perf_counter()
exec(sys.argv[1])
found = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
print(json.dumps({**found, "kib": resident() - memory}))
"""


@dataclass(frozen=True)
class Subject:
    """Something to import.

    Attributes:
        name: For the table.
        statement: As a charm writes it.
        before: What has been imported already.
        budget: Milliseconds; None if there is none.
        charm: The charm whose environment it is imported in.
    """

    name: str
    statement: str
    budget: int | None
    charm: Path
    before: str = "import ops"


SUBJECTS = (
    Subject("ops itself", "import ops", None, _charms.EMPTY, before=""),
    Subject("requirer side", "from valkey_client import ValkeyRequirer", 15, _charms.REQUIRER),
    Subject("provider side", "from valkey_client import ValkeyProvider", 15, _charms.PROVIDER),
    Subject(
        "whole operator",
        "from valkey_operator.charm import ValkeyOperatorCharm",
        120,
        _charms.OPERATOR,
    ),
    Subject(
        "operator that asks servers",
        "from valkey_operator.charm import ValkeyOperatorCharm; import valkey",
        120,
        _charms.OPERATOR,
    ),
    Subject(
        "field, requirer side",
        "from dpcharmlibs.interfaces import ResourceRequirerEventHandler",
        None,
        _charms.FIELD_REQUIRER,
    ),
    Subject(
        "field, provider side",
        "from dpcharmlibs.interfaces import ResourceProviderEventHandler",
        None,
        _charms.FIELD_PROVIDER,
    ),
)


@dataclass(frozen=True)
class Cost:
    """Medians.

    Attributes:
        cpu: Milliseconds of the processor.
        wall: Milliseconds on the clock.
        memory: MiB that became resident.
    """

    cpu: float
    wall: float
    memory: float


def measure(python: str, subject: Subject, *, runs: int, cold: bool) -> Cost:
    """Import something in processes of their own."""
    found: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as bytecode:
        env = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode, "PYTHONWARNINGS": "ignore"}
        env["PYTHONDONTWRITEBYTECODE"] = "1" if cold else ""
        command = [python, "-c", PROBE, subject.statement, subject.before]
        if not cold:
            subprocess.run(command, env=env, capture_output=True, check=True)
        for _ in range(runs):
            said = subprocess.run(command, env=env, capture_output=True, check=True)
            found.append(json.loads(said.stdout))

    def median(key: str) -> float:
        return statistics.median(run[key] for run in found)

    return Cost(median("cpu") * 1000, median("wall") * 1000, median("kib") / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs", type=int, default=9, help="processes for each figure")
    parser.add_argument("--cold-runs", type=int, default=3, help="the same with cold bytecode")
    options = parser.parse_args()
    rows: list[list[str | float | None]] = []
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        host = Host(root)
        environments = Environments(root, host)
        for subject in SUBJECTS:
            python = environments.of(CharmSpec.load(subject.charm, root / "unused")).python
            warm = measure(python, subject, runs=options.runs, cold=False)
            cold = measure(python, subject, runs=options.cold_runs, cold=True)
            cells = (warm.cpu, subject.budget, warm.wall, cold.cpu, warm.memory)
            rows.append([subject.name, *cells])
        host.close()
    title = f"Import over ops, Python {sys.version.split()[0]}, median of {options.runs} processes"
    columns = ["import", "CPU ms", "budget", "wall ms", "CPU ms, cold", "MiB"]
    show([Table(title, columns, rows)], as_json=options.json)


if __name__ == "__main__":
    main()
