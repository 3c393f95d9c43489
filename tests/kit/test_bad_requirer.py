"""Every check of a requirer finds what it is for, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from valkey_client_testing import Binary
from valkey_client_testing.check import requirer
from valkey_client_testing.check.counterpart import Counterpart
from valkey_client_testing.check.requirer_bench import RequirerBench
from valkey_client_testing.check.results import Result

from ..conftest import CHARMS, MakeModel

BAD = CHARMS / "bad_requirer"


def judged(
    make_model: MakeModel, binary: Binary, folder: Path, fault: str, units: int
) -> dict[str, Result]:
    with Counterpart(binary, folder) as servers:
        config = {"fault": fault}
        bench = RequirerBench(make_model(), BAD, servers, units=units, config=config, action="use")
        return {result.name: result for result in requirer.run(bench)}


def failed(results: dict[str, Result]) -> dict[str, str]:
    return {name: result.seen for name, result in results.items() if result.outcome == "fail"}


@pytest.mark.timeout(900)
def test_without_a_fault_everything_passes(
    make_model: MakeModel, binary: Binary, tmp_path: Path
) -> None:
    results = judged(make_model, binary, tmp_path, "", units=2)
    assert {name: r.seen for name, r in results.items() if r.outcome != "pass"} == {}
    assert tuple(results) == requirer.NAMES


# All of them take minutes; every third is always run, which is some of each group.
FAULTS = [
    pytest.param(name, marks=pytest.mark.slow if position % 3 else ())
    for position, name in enumerate(requirer.NAMES)
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_by_its_check_alone(
    make_model: MakeModel, binary: Binary, tmp_path: Path, fault: str
) -> None:
    # The second unit is needed for a change of leader only.
    units = 2 if fault == "stable-id" else 1
    results = judged(make_model, binary, tmp_path, fault, units)
    assert failed(results).keys() == {fault}, failed(results)
