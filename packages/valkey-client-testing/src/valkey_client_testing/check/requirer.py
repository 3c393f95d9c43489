"""Holding a requirer to the contract."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from . import requests, tolerance
from .requirer_bench import RequirerBench
from .results import Result
from .run import each, judge, watch

NAMES = tuple(c.name for c in (*requests.CHECKS, *tolerance.CHECKS))
"""The checks of a requirer, in their order."""


def run(bench: RequirerBench, without: Collection[str] = ()) -> Iterator[Result]:
    """Run the checks.

    Args:
        bench: The requirer and its surroundings.
        without: Names of checks to leave out.
    """
    for check in requests.CHECKS:
        if check.name not in without:
            yield watch(bench, lambda check=check: judge(check, bench.asked))
    yield from each(bench, [c for c in tolerance.CHECKS if c.name not in without], bench)
