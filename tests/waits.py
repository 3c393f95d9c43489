"""How tests wait: for something that they can observe, with a deadline that a busy machine keeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import jubilant
import valkey

import localjuju
from valkey_client import UnreachableError

Observed = TypeVar("Observed")

DEADLINE = 180.0
"""Seconds after which a wait fails. No test depends on them: they bound what a hang costs."""

NOT_YET = (
    *(valkey.ValkeyError, UnreachableError, OSError),
    *(localjuju.LocalJujuError, jubilant.CLIError, LookupError),
)
"""What reading a cluster or a model raises while units, servers or relations come and go."""


class PatientJuju(localjuju.Juju):
    """A model whose waits end at :data:`DEADLINE` unless a test says otherwise."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("wait_timeout", DEADLINE)
        super().__init__(**options)

    def settle(self, timeout: float = DEADLINE) -> None:
        super().settle(timeout)


def until(
    observe: Callable[[], Observed],
    is_reached: Callable[[Observed], object] = bool,
    *,
    what: str,
    timeout: float = DEADLINE,
) -> Observed:
    """Observe something until it is as it should be.

    An error in :data:`NOT_YET` counts as "not yet": what is not there now may be there soon.

    Args:
        observe: Reads it.
        is_reached: Whether this is what the test waits for; by default, whether it is true.
        what: What the test waits for, for the error.
        timeout: Seconds until the wait fails.

    Returns:
        What was observed last.

    Raises:
        AssertionError: After the timeout; it says what was observed last.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            observed = observe()
        except NOT_YET as error:
            last = f"{type(error).__name__}: {error}"
        else:
            if is_reached(observed):
                return observed
            last = repr(observed)
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:.0f} s: {what}; observed last: {last}")
        time.sleep(0.05)
