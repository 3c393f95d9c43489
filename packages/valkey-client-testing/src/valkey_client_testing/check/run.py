"""Running checks, one after the other."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from .bench import Bench
from .results import WORST_FIRST, Check, NotApplicable, Outcome, Result, Subject, Violation


def judge(check: Check[Subject], subject: Subject) -> Result:
    """Run one check."""
    start = time.monotonic()
    outcome: Outcome
    try:
        outcome, seen = "pass", check.run(subject)
    except Violation as violation:
        outcome, seen = "fail", str(violation)
    except NotApplicable as reason:
        outcome, seen = "not applicable", str(reason)
    except Exception as error:  # noqa: BLE001 - a charm may do anything, and the rest must go on
        outcome, seen = "fail", f"{type(error).__name__}: {error}"
    seconds = round(time.monotonic() - start, 3)
    return Result(check.name, check.statement, outcome, seen, seconds)


def judge_all(check: Check[Subject], subjects: Sequence[Subject]) -> Result:
    """Run one check on each of several subjects; the worst result counts."""
    results = [judge(check, subject) for subject in subjects]
    worst = min(results, key=lambda result: WORST_FIRST.index(result.outcome))
    seen = dict.fromkeys(result.seen for result in results if result.outcome == worst.outcome)
    seconds = sum(result.seconds for result in results)
    return dataclasses.replace(worst, seen="; ".join(seen), seconds=seconds)


def hold(checks: Iterable[Check[Subject]], subject: Subject) -> list[Result]:
    """Run checks and insist that none fails.

    Raises:
        Violation: If one does; it names all that do.
    """
    results = [judge(check, subject) for check in checks]
    failed = [f"{r.name}: {r.seen}" for r in results if r.outcome == "fail"]
    if failed:
        raise Violation("; ".join(failed))
    return results


def watch(bench: Bench, run: Callable[[], Result]) -> Result:
    """Run a check; that a hook of the charm under test failed meanwhile is a violation too."""
    before = len(bench.failures())
    result = run()
    failed = bench.failures()[before:]
    if failed and result.outcome != "fail":
        return Result(result.name, result.statement, "fail", failed[0], result.seconds)
    return result


def each(bench: Bench, checks: Iterable[Check[Subject]], subject: Subject) -> Iterator[Result]:
    """Run checks on a bench."""
    for check in checks:
        yield watch(bench, lambda check=check: judge(check, subject))
