"""What a check is, and what comes of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Subject = TypeVar("Subject")

Source = Literal["contract", "wire", "addition"]
"""``contract``: a sentence of the interface's text. ``wire``: what the other side in the field
relies on, which the text leaves out. ``addition``: an optional field that the interface's page
adds to the text; who does not know it is not held to it."""


class Violation(Exception):  # noqa: N818 - it is a finding, not an error of the kit
    """The subject does otherwise; the message says what was seen."""


class NotApplicable(Exception):  # noqa: N818
    """It cannot be told; the message says why."""


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """One statement that can be tried.

    Attributes:
        name: A short name.
        source: Where the statement comes from.
        statement: What must hold, in one sentence.
        run: Tries it and returns what was seen.
    """

    name: str
    source: Source
    statement: str
    run: Callable[[Subject], str]


def check(
    name: str, source: Source, statement: str
) -> Callable[[Callable[[Subject], str]], Check[Subject]]:
    """Make a function a :class:`Check`.

    The function returns what was seen, or raises :class:`Violation` or :class:`NotApplicable`.
    """

    def make(function: Callable[[Subject], str]) -> Check[Subject]:
        return Check(name, source, statement, function)

    return make


Outcome = Literal["pass", "fail", "not applicable"]

WORST_FIRST: tuple[Outcome, ...] = ("fail", "pass", "not applicable")
"""Which of several outcomes of one check counts."""


@dataclass(frozen=True)
class Result:
    """What came of one check.

    Attributes:
        name: Of the check.
        statement: Of the check.
        outcome: Whether the statement holds.
        seen: What was seen, or why it cannot be told.
        seconds: How long that took.
    """

    name: str
    statement: str
    outcome: Outcome
    seen: str
    seconds: float = 0.0


def demand(holds: object, seen: str) -> None:
    """Go on if something holds.

    Raises:
        Violation: If it does not.
    """
    if not holds:
        raise Violation(seen)


def need(holds: object, reason: str) -> None:
    """Go on if a check can be tried.

    Raises:
        NotApplicable: If it cannot.
    """
    if not holds:
        raise NotApplicable(reason)
