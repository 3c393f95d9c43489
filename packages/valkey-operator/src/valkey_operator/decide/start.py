"""Whether and how a unit's server may start: no start may lose data.

A server that starts without its data must not become the primary, because its replicas would
sync to nothing. It waits until another unit is the primary, and then syncs from it. A unit that is
alone waits for a person.
"""

from __future__ import annotations

from ..model.start import Start, StartDecision, StartFacts
from ..rules.append_only import Condition

REMEDY = (
    "bring the files back, or run the action accept-data-loss on this unit to go on without them"
)
"""What a person can do; the next hook, update-status at the latest, tries again."""


def decide_start(facts: StartFacts) -> StartDecision:
    """How the server of this unit starts."""
    if not facts.primary:
        return StartDecision(Start.WAIT)  # No known unit knows it.
    if facts.primary != facts.address:
        return _as_replica(facts)
    return _as_primary(facts)


def _as_replica(facts: StartFacts) -> StartDecision:
    if facts.data.condition is not Condition.DAMAGED:
        return StartDecision(Start.REPLICA, facts.primary)
    if facts.primary_answers:
        return StartDecision(Start.RESYNC, facts.primary, facts.data.problem)
    reason = f"{facts.data.problem}; waiting for the primary {facts.primary} to sync from it"
    return StartDecision(Start.WAIT, facts.primary, reason)


def _as_primary(facts: StartFacts) -> StartDecision:
    if not facts.is_certain:
        # Another unit may have become the primary.
        return StartDecision(Start.WAIT, facts.primary)
    if not facts.had_data and not facts.is_appointed:
        return StartDecision(Start.WAIT, "", "the leader has not said which unit begins")
    problem = _missing_data(facts)
    if not problem or facts.accepts_data_loss:
        return StartDecision(Start.PRIMARY, facts.primary)
    if facts.others:
        reason = f"{problem}; waiting for another unit to become the primary"
        return StartDecision(Start.WAIT, facts.primary, reason, is_withheld=True)
    return StartDecision(Start.BLOCKED, facts.primary, f"{problem}: {REMEDY}", is_withheld=True)


def _missing_data(facts: StartFacts) -> str:
    """Why this unit's data cannot be those of the primary; empty if they can."""
    match facts.data.condition:
        case Condition.DAMAGED:
            return facts.data.problem
        case Condition.EMPTY:
            return "the data directory is empty, but this unit had data" if facts.had_data else ""
        case Condition.PRESENT:
            return _not_the_newest(facts)


def _not_the_newest(facts: StartFacts) -> str:
    """Why the data may be older than those that were served last; empty if they are not."""
    record = facts.data.record
    if record is None or not facts.had_data:
        return ""  # Of a release of this charm that kept no record; or the leader has compared it.
    if record.unit != facts.unit:
        return f"the data directory holds the data of {record.unit}"
    if facts.data.time < facts.data_time:
        return "the data directory holds older data than this unit had"
    return ""
