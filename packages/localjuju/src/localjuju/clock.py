"""The clock of a model: everything that waits for a time asks it, and nothing asks another."""

from __future__ import annotations

import time


class Clock:
    """Seconds, as this machine counts them."""

    def now(self) -> float:
        """The seconds since some moment in the past; they never go back."""
        return time.monotonic()
