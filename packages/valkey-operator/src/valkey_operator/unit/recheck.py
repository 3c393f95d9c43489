"""One further hook for a unit whose last one ended before the servers had settled."""

from __future__ import annotations

import logging

from ..decide.recheck import next_delay
from ..workload import Workload

logger = logging.getLogger(__name__)

_FILE = "recheck"
"""How often the unit has looked again, and for what: two lines."""


def keep_recheck(workload: Workload, reason: str, *, is_recheck: bool) -> None:
    """Let the unit look again later if there is a reason, and not if there is none.

    Args:
        workload: Runs the event ``recheck`` later.
        reason: What is waited for; empty if everything has settled.
        is_recheck: Whether this hook is such an event.

    Raises:
        WorkloadError: If a file cannot be written.
    """
    text = workload.read(_FILE)
    if not reason:
        if text is not None:
            workload.cancel_recheck()
            workload.remove(_FILE)
        return
    number, _, last_reason = (text or "").partition("\n")
    count = int(number) if last_reason == reason and number.isdecimal() else 0
    if count and not is_recheck and workload.is_recheck_pending():
        return
    delay = next_delay(count)
    if delay is None:
        return
    workload.cancel_recheck()
    logger.debug("looking again in %d s: %s", delay, reason)
    workload.recheck_later(delay)
    workload.write(_FILE, f"{count + 1}\n{reason}")
