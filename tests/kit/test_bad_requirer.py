"""Each check of a requirer finds a charm that violates it, and no other check fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from valkey_client_testing import Binary
from valkey_client_testing.check import (
    ReferenceServers,
    RequirerHarness,
    Result,
    requirer,
)

from ..conftest import CHARMS, MakeModel

BAD = CHARMS / "bad_requirer"


def check_results(
    make_model: MakeModel, binary: Binary, folder: Path, fault: str, units: int
) -> dict[str, Result]:
    with ReferenceServers(binary, folder) as servers:
        config = {"fault": fault}
        harness = RequirerHarness(
            make_model(), BAD, servers, units=units, config=config, action="use"
        )
        return {result.name: result for result in requirer.run(harness)}


def failures(results: dict[str, Result]) -> dict[str, str]:
    return {name: result.seen for name, result in results.items() if result.outcome == "fail"}


@pytest.mark.timeout(900)
def test_a_conforming_charm_passes_every_check(
    make_model: MakeModel, binary: Binary, tmp_path: Path
) -> None:
    results = check_results(make_model, binary, tmp_path, "", units=2)
    assert {name: r.seen for name, r in results.items() if r.outcome != "pass"} == {}
    assert tuple(results) == requirer.NAMES


# All take minutes; every third always runs, which is some of each group.
FAULTS = [
    pytest.param(name, marks=pytest.mark.slow if position % 3 else ())
    for position, name in enumerate(requirer.NAMES)
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_fails_only_its_check(
    make_model: MakeModel, binary: Binary, tmp_path: Path, fault: str
) -> None:
    # Only a change of leader needs a second unit.
    units = 2 if fault == "stable-id" else 1
    results = check_results(make_model, binary, tmp_path, fault, units)
    assert failures(results).keys() == {fault}, failures(results)
