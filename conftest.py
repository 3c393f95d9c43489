"""How tests are spread over processes, in which order, and what a run tells of it at its begin."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

WORKERS_PER_CORE = 1
"""Hooks keep a core busy; more processes than cores make tests wait for each other's hooks."""

CORE_MINUTES = 35
"""What all tests but slow ones take of one core, about."""

# What takes longest begins first, so that all processes end together. A group of tests that share
# servers (pytest.mark.xdist_group) counts as one. The rest follows in its usual order.
LONGEST_FIRST = (
    *("attacks-", "tls-", "tests/faults/test_state_machine.py", "tests/kit/test_command.py"),
    *("applications-", "tests/kit", "malformed-requests", "tests/e2e/test_tutorial"),
    *("tests/faults", "tests/tls", "tests/e2e", "tests/interop", "tests/docs"),
)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """How many processes ``-n auto`` starts; none for a test that is named, or for a list."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    if config.getoption("collectonly") or any("::" in argument for argument in config.args):
        return 0
    return WORKERS_PER_CORE * cores()


def pytest_report_header(config: pytest.Config) -> str | None:
    """How long it will take."""
    if hasattr(config, "workerinput") or config.getoption("collectonly"):
        return None
    workers = config.getoption("numprocesses", None) or 1
    is_whole = config.args == config.getini("testpaths")
    if is_whole and config.getoption("markexpr") == "not slow":
        minutes = CORE_MINUTES / min(workers, cores())
        return (
            f"all tests but slow ones: about {minutes:.0f} minutes"
            f" on {cores()} cores with {workers} workers"
        )
    return f"{workers} workers on {cores()} cores; -n0 runs tests in this process"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, None, None]:
    """Order tests for processes, after pytest has ordered them for their fixtures.

    Those that need root are left to CI by anybody else.
    """
    yield
    if os.geteuid() and not os.environ.get("CI"):
        config.hook.pytest_deselected(items=[i for i in items if i.get_closest_marker("root")])
        items[:] = [item for item in items if not item.get_closest_marker("root")]
    if hasattr(config, "workerinput"):
        items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    groups = [str(mark.args[0]) for mark in item.iter_markers("xdist_group")]
    unit = groups[0] if groups else item.nodeid
    ranks = (rank for rank, start in enumerate(LONGEST_FIRST) if unit.startswith(start))
    return next(ranks, len(LONGEST_FIRST))
