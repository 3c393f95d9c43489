"""Statuses, and the time as Juju writes it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field


def now() -> str:
    """The current time as Juju writes it."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


@dataclass
class Status:
    """A workload's or application's status."""

    status: str = "unknown"
    message: str = ""
    since: str = field(default_factory=now)
