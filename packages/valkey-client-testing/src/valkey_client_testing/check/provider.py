"""Holding a provider to the contract."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from . import answers, conduct, grants, options, transport
from .provider_bench import ProviderBench
from .results import Result
from .run import each, judge_all, watch

ON_BENCH = (*transport.CHECKS, *grants.CHECKS, *options.CHECKS, *conduct.CHECKS)
"""The checks that need the charm itself and not only what it wrote."""

NAMES = tuple(c.name for c in (*answers.CHECKS, *ON_BENCH))
"""The checks of a provider, in their order."""


def run(bench: ProviderBench, without: Collection[str] = ()) -> Iterator[Result]:
    """Run the checks.

    Args:
        bench: The provider and its surroundings.
        without: Names of checks to leave out.
    """
    subjects = [bench.v1.answer, bench.v0.answer, bench.both.answer, bench.wide.answer]
    for check in answers.CHECKS:
        if check.name not in without:
            yield watch(bench, lambda check=check: judge_all(check, subjects))
    yield from each(bench, [c for c in ON_BENCH if c.name not in without], bench)
