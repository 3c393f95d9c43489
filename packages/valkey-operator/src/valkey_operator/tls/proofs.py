"""Whose certificates clients may show: which CAs, and who asked for each of them to be trusted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ..facts import Facts

OPERATOR = "client-cas"
"""The source of those that the operator of the charm integrates; an account's name for others."""


@dataclass(frozen=True)
class Judgement:
    """What is thought of the certificates that were looked at in a hook.

    Attributes:
        accepted: The CAs to trust, by the account of the request.
        problems: Why a certificate is not trusted, by the account.
    """

    accepted: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    problems: Mapping[str, str] = field(default_factory=dict[str, str])


def judge(facts: Facts, cas: Collection[str]) -> Judgement:
    """Look at the certificates of all requests that are looked at.

    Args:
        facts: The state of everything.
        cas: The CAs of the servers themselves.
    """
    accepted: dict[str, tuple[str, ...]] = {}
    problems: dict[str, str] = {}
    present = dict(facts.shared.tls.proofs)
    if facts.client_cas is not None:
        present[OPERATOR] = facts.client_cas
    for asked in facts.asked:
        for request in asked.requests.requests:
            shown = asked.shown.get(request.request_id)
            if shown is None and request.username not in present:
                continue
            # What is not shown any more is not trusted any more.
            accepted[request.username] = ()
            if shown is None:
                continue
            if shown.text:
                others = {**present, **accepted}
                found = _anchors(shown.text, request.username, cas, others)
                if isinstance(found, str):
                    problems[request.username] = found
                else:
                    accepted[request.username] = found
            elif shown.problem:
                problems[request.username] = shown.problem
    return Judgement(accepted, problems)


def _anchors(
    text: str, account: str, cas: Collection[str], others: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...] | str:
    """The CAs to trust, or why not."""
    # It is asked for in few hooks, and costs more to import than most of the charm.
    from .client_certificate import ClientCertificateError, anchors  # noqa: PLC0415

    trusted = (*cas, *others.get(OPERATOR, ()))
    foreign = [
        pem for name, pems in others.items() if name not in {account, OPERATOR} for pem in pems
    ]
    try:
        return anchors(text, trusted, foreign)
    except ClientCertificateError as error:
        return str(error)


def decide(
    facts: Facts, judgement: Judgement, accounts: Collection[str], cas: Collection[str]
) -> Mapping[str, tuple[str, ...]]:
    """The CAs of clients that are trusted from now on, by who asked for them.

    Args:
        facts: The state of everything.
        judgement: What is thought of those that were looked at.
        accounts: The accounts that exist from now on.
        cas: The CAs of the servers themselves.
    """
    before = facts.shared.tls.proofs
    found = {**before, **judgement.accepted}
    if facts.client_cas is not None:
        found[OPERATOR] = facts.client_cas
    kept = {
        source: pems
        for source, pems in found.items()
        if pems and (source == OPERATOR or source in accounts)
    }
    trusted = (*cas, *kept.get(OPERATOR, ()))
    if kept.keys() - {OPERATOR} and set(trusted) - {
        *facts.shared.tls.cas,
        *before.get(OPERATOR, ()),
    }:
        kept = _without_namesakes(kept, trusted)
    return kept


def _without_namesakes(
    proofs: Mapping[str, tuple[str, ...]], trusted: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """An application's CA gives way to one of the servers that comes later with its name."""
    from .client_certificate import without_namesakes  # noqa: PLC0415

    kept = {
        source: pems if source == OPERATOR else without_namesakes(pems, trusted)
        for source, pems in proofs.items()
    }
    return {source: pems for source, pems in kept.items() if pems}
