"""Each check of a provider finds a charm that violates it, and no other check fails."""

from __future__ import annotations

import pytest

from valkey_client_testing import Binary
from valkey_client_testing.check import ProviderHarness, Result, provider

from ..conftest import CHARMS, MakeModel

BAD = CHARMS / "bad_provider"


def check_results(make_model: MakeModel, fault: str, units: int) -> dict[str, Result]:
    juju = make_model()
    harness = ProviderHarness(juju, BAD, units=units, config={"fault": fault})
    return {result.name: result for result in provider.run(harness)}


def failures(results: dict[str, Result]) -> dict[str, str]:
    return {name: result.seen for name, result in results.items() if result.outcome == "fail"}


@pytest.mark.timeout(900)
def test_a_conforming_charm_passes_every_check(make_model: MakeModel, binary: Binary) -> None:
    results = check_results(make_model, "", units=2)
    assert failures(results) == {}
    not_applicable = {name for name, r in results.items() if r.outcome == "not applicable"}
    # Older servers cannot limit an account to a database.
    assert not_applicable == (
        {"tls-ca"} if binary.version >= (9, 1, 2) else {"tls-ca", "own-database"}
    )
    assert tuple(results) == provider.NAMES


# All take ten minutes; every sixteenth always runs, which is one of most groups.
FAULTS = [
    pytest.param(name, marks=pytest.mark.slow if position % 16 else ())
    for position, name in enumerate(provider.NAMES)
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_fails_only_its_check(make_model: MakeModel, fault: str) -> None:
    # Only a change of leader needs a second unit.
    results = check_results(make_model, fault, units=2 if fault == "leader-change" else 1)
    assert failures(results).keys() == {fault}, failures(results)
