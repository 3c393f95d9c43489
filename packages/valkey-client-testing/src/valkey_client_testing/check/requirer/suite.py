"""All checks of a requirer, in their order."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..harness import RequirerHarness
from ..results import Result
from ..runner import include_hook_failures, run_check, run_checks
from . import access, removal, requests, robustness

HARNESS_CHECKS = (*access.CHECKS, *robustness.CHECKS, *removal.CHECKS)
"""The checks that need the running charm. The last remove the relation."""

NAMES = tuple(c.name for c in (*requests.CHECKS, *HARNESS_CHECKS))
"""The names of the checks, in their order."""


def run(harness: RequirerHarness, without: Collection[str] = ()) -> Iterator[Result]:
    """Run the checks.

    Args:
        harness: The requirer in a model.
        without: Names of checks to leave out.
    """
    for check in requests.CHECKS:
        if check.name not in without:
            yield include_hook_failures(
                harness, lambda check=check: run_check(check, harness.request_databag)
            )
    checks = [c for c in HARNESS_CHECKS if c.name not in without]
    yield from run_checks(harness, checks, harness)
