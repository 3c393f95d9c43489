"""Checks and their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Subject = TypeVar("Subject")

Source = Literal["contract", "wire", "addition"]
"""Where a statement comes from.

- ``contract``: a sentence of the interface's specification.
- ``wire``: something that existing implementations rely on and the specification leaves out.
- ``addition``: an optional field that the interface's README adds, and that a charm may ignore.
"""


class Violation(Exception):  # noqa: N818 - it is a result, not an error of the kit
    """The subject violates the statement; the message says what was seen."""


class NotApplicable(Exception):  # noqa: N818
    """The statement cannot be checked; the message says why."""


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """A statement that can be checked.

    Attributes:
        name: A short name.
        source: Where the statement comes from.
        statement: What must hold, in one sentence.
        run: Checks it and returns what was seen.
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

    def decorate(function: Callable[[Subject], str]) -> Check[Subject]:
        return Check(name, source, statement, function)

    return decorate


Outcome = Literal["pass", "fail", "not applicable"]

WORST_FIRST: tuple[Outcome, ...] = ("fail", "pass", "not applicable")
"""Which of several outcomes of one check counts."""


@dataclass(frozen=True)
class Result:
    """The result of one check.

    Attributes:
        name: Name of the check.
        statement: Statement of the check.
        outcome: Whether the statement holds.
        seen: What was seen, or why the statement cannot be checked.
        seconds: How long the check took.
    """

    name: str
    statement: str
    outcome: Outcome
    seen: str
    seconds: float = 0.0


def verify(condition: object, message: str) -> None:
    """Go on if a condition of the statement holds.

    Raises:
        Violation: With the message, if it does not.
    """
    if not condition:
        raise Violation(message)


def require(condition: object, reason: str) -> None:
    """Go on if the statement can be checked.

    Raises:
        NotApplicable: With the reason, if it cannot.
    """
    if not condition:
        raise NotApplicable(reason)
