"""What the application's status says."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Sequence

import ops

from valkey_client import Refusal

from ..model.facts import Facts
from ..rules.accounts import Account, Version
from ..rules.advisories import vulnerabilities_of
from ..rules.epochs import majority
from ..rules.overlap import overlapping
from .health import full_servers, remarks, service_problem
from .plan import Plan
from .tls import tls_progress

_MAX_NAMES = 3
"""How many are named before the rest is only counted."""


def shared_keys(facts: Facts, accounts: Iterable[Account]) -> str:
    """Which clients share keys or channels with others, empty if none does."""
    listed = sorted(accounts, key=lambda account: (account.relation_id, account.prefix))
    names = overlapping(listed)
    sharing = [
        f"{facts.name_of(account.relation_id)} {account.prefix}"
        for account in listed
        if account.name in names
    ]
    return f"clients share keys: {_some(sharing)}" if sharing else ""


def _some(items: Sequence[str]) -> str:
    more = len(items) - _MAX_NAMES
    return ", ".join(items[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def _advice(version: Version) -> str:
    """What to do about known vulnerabilities of the server, empty if there are none."""
    known = vulnerabilities_of(version)
    if known is None:
        return ""
    first, *others = known.names
    names = f"{first} and {len(others)} more" if others else first
    return f"Valkey {_text(version)} has {names}: update to {_text(known.fixed)} or later"


def _text(version: Version) -> str:
    return ".".join(map(str, version))


def address_problem(address: str, endpoint: str) -> ops.StatusBase | None:
    """Why servers cannot use the address that Juju gives a unit; None if they can.

    Args:
        address: The address; empty before Juju knows it.
        endpoint: The endpoint whose address it is.
    """
    if not address:
        return ops.WaitingStatus("Waiting for Juju to give this unit an address")
    with contextlib.suppress(ValueError):  # A name.
        if ipaddress.ip_address(address).is_unspecified:
            return ops.BlockedStatus(
                f"Juju gives this unit the address {address}, where nobody can reach it; bind"
                f" {endpoint} to another space"
            )
    return None


def application_status(facts: Facts, plan: Plan) -> ops.StatusBase:
    """What works, or what a person should look at.

    Args:
        facts: What the leader saw.
        plan: What it decided.
    """
    if obstacle := _obstacle(facts):
        return obstacle
    cluster, peers, accounts = facts.cluster, facts.peers, plan.shared.accounts.values()
    sharing = shared_keys(facts, accounts)
    if sharing and facts.settings and facts.settings.is_strict:
        return ops.BlockedStatus(
            f"isolation=strict was set while {sharing}; remove one of them or set isolation=shared"
        )
    silent = [p.unit for p in peers if p.started and p.address not in cluster.servers]
    parts = [
        f"No answer from the server of {', '.join(silent)}"
        if silent
        else f"Primary is {facts.unit_at(cluster.primary)}",
        _count(len(accounts), "client"),
        *remarks(facts),
        _refusals(facts, plan),
        sharing,
        tls_progress(facts, plan.shared.tls),
        _advice(cluster.oldest),
    ]
    return ops.ActiveStatus("; ".join(part for part in parts if part))


def _obstacle(facts: Facts) -> ops.StatusBase | None:
    """Why the service does not work, or nobody can tell; None if it works."""
    cluster, peers = facts.cluster, facts.peers
    if not cluster.sentinels:
        return ops.WaitingStatus("Waiting for the Sentinels to start")
    if len(cluster.sentinels) < majority(len(peers)):
        silent = [p.unit for p in peers if p.started and p.address not in cluster.sentinels]
        return ops.BlockedStatus(
            f"{len(cluster.sentinels)} of {len(peers)} Sentinels answer: no automatic failover;"
            f" bring back {', '.join(silent) or 'the missing units'}"
        )
    if problem := full_servers(facts):
        return ops.BlockedStatus(problem)
    if not cluster.primary:
        return ops.WaitingStatus("Waiting for the Sentinels to agree on a primary")
    if problem := service_problem(facts):
        return ops.BlockedStatus(problem)
    return None


def _refusals(facts: Facts, plan: Plan) -> str:
    """Whose requests are refused, and why; empty if none is."""
    strict = [facts.name_of(relation_id) for relation_id in plan.not_isolated]
    if strict:
        return f"isolation=strict refuses {_some(strict)}"
    refusals = [
        f"{facts.name_of(answer.request.relation_id)} ({answer.status.message})"
        for answer in plan.answers
        if isinstance(answer, Refusal) and answer.status.needs_a_person
    ]
    # What cannot be read has no answer of its own.
    refusals += [
        f"{facts.name_of(relation.relation_id)} ({problem.message})"
        for relation in facts.client_relations
        for problem in relation.requests.problems
        if problem.needs_a_person
    ]
    return f"refused: {_some(refusals)}" if refusals else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
