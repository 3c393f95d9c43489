"""All checks of a provider, in their order."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..harness import ProviderHarness
from ..results import Result
from ..runner import include_hook_failures, run_check_on_each, run_checks
from . import lifecycle, options, permissions, responses, tls

HARNESS_CHECKS = (*tls.CHECKS, *permissions.CHECKS, *options.CHECKS, *lifecycle.CHECKS)
"""The checks that need the running charm."""

NAMES = tuple(c.name for c in (*responses.CHECKS, *HARNESS_CHECKS))
"""The names of the checks, in their order."""


def run(harness: ProviderHarness, without: Collection[str] = ()) -> Iterator[Result]:
    """Run the checks.

    Args:
        harness: The provider in a model.
        without: Names of checks to leave out.
    """
    requirers = (
        harness.v1_requirer,
        harness.v0_requirer,
        harness.two_request_requirer,
        harness.options_requirer,
    )
    databags = [requirer.response_databag for requirer in requirers]
    for check in responses.CHECKS:
        if check.name not in without:
            yield include_hook_failures(
                harness, lambda check=check: run_check_on_each(check, databags)
            )
    checks = [c for c in HARNESS_CHECKS if c.name not in without]
    yield from run_checks(harness, checks, harness)
