"""Hook commands that a hook calls, juju-log apart: ours, the field's, and what ops alone calls.

In production each of them is a process.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence

import _budgets
import _provider_calls
import _requirer_calls
from _budgets import Budget
from _provider_calls import Count, Subject
from _table import Cell, Table, show

SIZES = (1, 10, 100)
FULL = 1000


def provider_table(
    title: str, subjects: Sequence[Subject], budgets: Mapping[str, Budget], sizes: Iterable[int]
) -> Table:
    """All situations of a provider, for several numbers of relations and of requests."""
    found: dict[tuple[str, int, int], dict[str, int]] = {}

    def note(subject: Subject, count: Count) -> None:
        found.setdefault((count.situation, count.n, count.m), {})[subject.name] = count.calls

    for size in sizes:
        for subject in subjects:
            for count in _provider_calls.count(subject, size):
                note(subject, count)
            note(subject, _provider_calls.count_requests(subject, size))
    names = [subject.name for subject in subjects]
    rows: list[list[Cell]] = []
    for (situation, n, m), calls in sorted(found.items(), key=lambda item: item[0][0]):
        budget = budgets.get(situation)
        allowed = budget.of(n, m) if budget else None
        rows.append([situation, n, m, *(calls.get(name) for name in names), allowed])
        rows[-1].append(str(budget) if budget else None)
    return Table(title, ["situation", "N", "M", *names, "budget", "formula"], rows)


def requirer_table() -> Table:
    """All situations of a requirer."""
    found: dict[str, dict[str, int]] = {}
    for name, charm in _requirer_calls.SUBJECTS.items():
        for situation, calls in _requirer_calls.count(charm):
            found.setdefault(situation, {})[name] = calls
    names = list(_requirer_calls.SUBJECTS)
    rows = [
        [situation, *(calls[name] for name in names), _budgets.REQUIRER[situation].of()]
        for situation, calls in found.items()
    ]
    return Table("Requirer library: calls of the hook", ["situation", *names, "budget"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--full", action="store_true", help=f"up to {FULL} relations and requests")
    parser.add_argument(
        "--only", choices=("library", "operator", "requirer"), help="measure only this"
    )
    options = parser.parse_args()
    sizes = (*SIZES, FULL) if options.full else SIZES
    tables: list[Table] = []
    if options.only in {None, "library"}:
        title = "Provider library: calls of the leader's hook"
        tables.append(provider_table(title, _provider_calls.LIBRARIES, _budgets.PROVIDER, sizes))
    if options.only in {None, "operator"}:
        title = "Operator with three units: calls of the leader's hook"
        tables.append(provider_table(title, _provider_calls.OPERATORS, _budgets.OPERATOR, sizes))
    if options.only in {None, "requirer"}:
        tables.append(requirer_table())
    show(tables, as_json=options.json)


if __name__ == "__main__":
    main()
