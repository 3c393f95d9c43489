"""Checks of a requirer when the relation is removed."""

from __future__ import annotations

from ..harness import RequirerHarness
from ..results import Check, Violation, check, require, verify


@check("relation-removal", "contract", "No hook fails when the relation is removed.")
def relation_removal(harness: RequirerHarness) -> str:
    """Section *Provider*: the account is deleted then."""
    harness.juju.remove_relation(
        f"{harness.subject}:{harness.endpoint}", f"{harness.provider}:clients"
    )
    try:
        harness.settle()
    except Violation:
        harness.resolve_failed_hooks()
        raise
    harness.is_relation_removed = True
    return "no hook failed"


@check(
    "unused-after-removal",
    "contract",
    "The requirer no longer uses its access after the relation is removed.",
)
def unused_after_removal(harness: RequirerHarness) -> str:
    """Needs an action that uses Valkey."""
    harness.require_use()
    require(harness.is_relation_removed, "a hook failed when the relation was removed")
    counts = harness.count_commands()
    verify(not any(counts.values()), f"it still sent {sum(counts.values())} command(s)")
    return "no command reached a server"


CHECKS: tuple[Check[RequirerHarness], ...] = (relation_removal, unused_after_removal)
"""All checks of this module; the relation does not exist afterwards."""
