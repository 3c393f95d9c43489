"""Every check of a provider finds what it is for, and nothing else."""

from __future__ import annotations

import pytest

from valkey_client_testing import Binary
from valkey_client_testing.check import provider
from valkey_client_testing.check.provider_bench import ProviderBench
from valkey_client_testing.check.results import Result

from ..conftest import CHARMS, MakeModel

BAD = CHARMS / "bad_provider"


def judged(make_model: MakeModel, fault: str, units: int) -> dict[str, Result]:
    juju = make_model()
    bench = ProviderBench(juju, BAD, units=units, config={"fault": fault})
    return {result.name: result for result in provider.run(bench)}


def failed(results: dict[str, Result]) -> dict[str, str]:
    return {name: result.seen for name, result in results.items() if result.outcome == "fail"}


@pytest.mark.timeout(900)
def test_without_a_fault_everything_passes(make_model: MakeModel, binary: Binary) -> None:
    results = judged(make_model, "", units=2)
    assert failed(results) == {}
    silent = {name for name, r in results.items() if r.outcome == "not applicable"}
    # Older servers cannot hold an account to a database.
    assert silent == ({"tls-ca"} if binary.version >= (9, 1, 2) else {"tls-ca", "own-database"})
    assert tuple(results) == provider.NAMES


# All of them take ten minutes; every eighth is always run, which is some of each group.
FAULTS = [
    pytest.param(name, marks=pytest.mark.slow if position % 8 else ())
    for position, name in enumerate(provider.NAMES)
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_by_its_check_alone(make_model: MakeModel, fault: str) -> None:
    # The second unit is needed for a change of leader only.
    results = judged(make_model, fault, units=2 if fault == "leader-change" else 1)
    assert failed(results).keys() == {fault}, failed(results)
