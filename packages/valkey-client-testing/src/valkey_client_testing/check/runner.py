"""Run checks one after the other."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from .harness import Harness
from .results import WORST_FIRST, Check, NotApplicable, Outcome, Result, Subject, Violation


def run_check(check: Check[Subject], subject: Subject) -> Result:
    """Run one check."""
    start = time.monotonic()
    outcome: Outcome
    try:
        outcome, seen = "pass", check.run(subject)
    except Violation as violation:
        outcome, seen = "fail", str(violation)
    except NotApplicable as reason:
        outcome, seen = "not applicable", str(reason)
    except Exception as error:  # noqa: BLE001 - a charm may do anything; the other checks go on
        outcome, seen = "fail", f"{type(error).__name__}: {error}"
    seconds = round(time.monotonic() - start, 3)
    return Result(check.name, check.statement, outcome, seen, seconds)


def run_check_on_each(check: Check[Subject], subjects: Sequence[Subject]) -> Result:
    """Run one check on each of several subjects; the worst result counts."""
    results = [run_check(check, subject) for subject in subjects]
    worst = min(results, key=lambda result: WORST_FIRST.index(result.outcome))
    seen = dict.fromkeys(result.seen for result in results if result.outcome == worst.outcome)
    seconds = sum(result.seconds for result in results)
    return dataclasses.replace(worst, seen="; ".join(seen), seconds=seconds)


def require_no_failure(checks: Iterable[Check[Subject]], subject: Subject) -> list[Result]:
    """Run checks.

    Raises:
        Violation: If one fails; the message names all that do.
    """
    results = [run_check(check, subject) for check in checks]
    failures = [f"{r.name}: {r.seen}" for r in results if r.outcome == "fail"]
    if failures:
        raise Violation("; ".join(failures))
    return results


def include_hook_failures(harness: Harness, run: Callable[[], Result]) -> Result:
    """Run a check; it fails if a hook of the charm under test fails meanwhile."""
    before = len(harness.hook_failures())
    result = run()
    failures = harness.hook_failures()[before:]
    if failures and result.outcome != "fail":
        return Result(result.name, result.statement, "fail", failures[0], result.seconds)
    return result


def run_checks(
    harness: Harness, checks: Iterable[Check[Subject]], subject: Subject
) -> Iterator[Result]:
    """Run checks; each fails if a hook of the charm under test fails meanwhile."""
    for check in checks:
        yield include_hook_failures(harness, lambda check=check: run_check(check, subject))
