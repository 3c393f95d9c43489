"""Hook commands are counted exactly, so that one more is noticed.

The programs in ``benchmarks`` print the same figures for more relations.
"""

from __future__ import annotations

import _budgets
import _charms
import _provider_calls
import _requirer_calls
import pytest
import settle
from _budgets import Budget
from _provider_calls import LIBRARIES, OPERATORS, Count, Subject

LIBRARY, OPERATOR = LIBRARIES[-1], OPERATORS[-1]

# What each hook calls with n relations: a fixed part, and so many for each relation.
OF_LIBRARY = {
    "first request, v1": (9, 1),
    "nothing new in a relation": (4, 1),
    "relation broken": (10, 1),
    "first request, v0": (9, 1),
    "topology change": (3, 3),
    "the same again, nothing new": (3, 2),
    "update-status, nothing to do": (1, 0),
    "withdrawal": (9, 1),
}
OF_OPERATOR = {
    "first request, v1": (23, 1),
    "nothing new in a relation": (4, 1),
    "relation broken": (24, 1),
    "first request, v0": (23, 1),
    "topology change": (17, 3),
    # Both are update-status, which looks up the storage to record how new the data are.
    "the same again, nothing new": (17, 1),
    "update-status, nothing to do": (17, 1),
    "withdrawal": (23, 1),
    "peer change": (17, 1),
}
OF_REQUIRER = {
    "created": 5,
    "first response": 6,
    "nothing new": 4,
    "endpoints": 5,
    "secret-changed": 5,
}


def check_budget(count: Count, budgets: dict[str, Budget]) -> None:
    if budget := budgets.get(count.situation):
        assert count.calls <= budget.of(count.n, count.m), count


@pytest.mark.parametrize("n", [1, 4, 12])
def test_hook_commands_of_the_provider_library(n: int) -> None:
    check_growth(LIBRARY, n, OF_LIBRARY, dict(_budgets.PROVIDER))


@pytest.mark.parametrize("n", [1, 4])
def test_hook_commands_of_the_operator(n: int) -> None:
    check_growth(OPERATOR, n, OF_OPERATOR, dict(_budgets.OPERATOR))


def check_growth(
    subject: Subject, n: int, expected: dict[str, tuple[int, int]], budgets: dict[str, Budget]
) -> None:
    counts = list(_provider_calls.count(subject, n))
    for count in counts:
        check_budget(count, budgets)
    assert {c.situation: c.calls for c in counts} == {
        situation: fixed + each * n for situation, (fixed, each) in expected.items()
    }


@pytest.mark.parametrize("m", [1, 7])
def test_hook_commands_of_many_requests_in_one_relation(m: int) -> None:
    count = _provider_calls.count_requests(LIBRARY, m)
    check_budget(count, dict(_budgets.PROVIDER))
    assert count.calls == 4 * m + 6


def test_hook_commands_of_the_requirer_library() -> None:
    counts = dict(_requirer_calls.count(_charms.REQUIRER))
    for situation, calls in counts.items():
        assert calls <= _budgets.REQUIRER[situation].of(), situation
    assert counts == OF_REQUIRER


@pytest.mark.parametrize(("requirers", "providers"), [(1, 1), (2, 3)])
def test_provider_write_runs_one_hook_per_requirer(requirers: int, providers: int) -> None:
    charms = (_charms.PROVIDER, _charms.REQUIRER)
    assert settle.hooks(*charms, requirers, providers) == requirers
