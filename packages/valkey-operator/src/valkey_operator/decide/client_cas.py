"""Which CAs of client certificates servers trust, and who asked for each of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ..model.facts import Facts

OPERATOR = "client-cas"
"""The source of CAs that the Juju operator integrated; other sources are names of accounts."""


@dataclass(frozen=True)
class CertificateReview:
    """The review of the client certificates that a hook looks at.

    Attributes:
        accepted: The CAs to trust, by the account of the request.
        problems: Why a certificate is not trusted, by the account.
    """

    accepted: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    problems: Mapping[str, str] = field(default_factory=dict[str, str])


def review_certificates(facts: Facts, cas: Collection[str]) -> CertificateReview:
    """Review the certificates of all requests that the hook looks at.

    Args:
        facts: The state of everything.
        cas: The CAs of the servers themselves.
    """
    accepted: dict[str, tuple[str, ...]] = {}
    problems: dict[str, str] = {}
    trusted = dict(facts.shared.tls.client_cas_by_source)
    if facts.operator_cas is not None:
        trusted[OPERATOR] = facts.operator_cas
    for relation in facts.client_relations:
        for request in relation.requests.requests:
            certificate = relation.certificates.get(request.request_id)
            if certificate is None and request.username not in trusted:
                continue
            # A certificate that is no longer sent is no longer trusted.
            accepted[request.username] = ()
            if certificate is None:
                continue
            if certificate.text:
                sources = {**trusted, **accepted}
                anchors = _anchors(certificate.text, request.username, cas, sources)
                if isinstance(anchors, str):
                    problems[request.username] = anchors
                else:
                    accepted[request.username] = anchors
            elif certificate.problem:
                problems[request.username] = certificate.problem
    return CertificateReview(accepted, problems)


def _anchors(
    text: str, account: str, cas: Collection[str], sources: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...] | str:
    """The CAs to trust, or why not."""
    # Few hooks need it, and it costs more to import than most of the charm.
    from ..rules.client_certificate import ClientCertificateError, find_trust_anchors  # noqa: PLC0415

    trusted = (*cas, *sources.get(OPERATOR, ()))
    foreign = [
        pem for name, pems in sources.items() if name not in {account, OPERATOR} for pem in pems
    ]
    try:
        return find_trust_anchors(text, trusted, foreign)
    except ClientCertificateError as error:
        return str(error)


def decide_trusted_cas(
    facts: Facts, review: CertificateReview, accounts: Collection[str], cas: Collection[str]
) -> Mapping[str, tuple[str, ...]]:
    """The CAs of clients that servers trust from now on, by who asked for them.

    Args:
        facts: The state of everything.
        review: The review of the certificates that this hook looked at.
        accounts: The accounts that exist from now on.
        cas: The CAs of the servers themselves.
    """
    before = facts.shared.tls.client_cas_by_source
    sources = {**before, **review.accepted}
    if facts.operator_cas is not None:
        sources[OPERATOR] = facts.operator_cas
    kept = {
        source: pems
        for source, pems in sources.items()
        if pems and (source == OPERATOR or source in accounts)
    }
    trusted = (*cas, *kept.get(OPERATOR, ()))
    known = {*facts.shared.tls.cas, *before.get(OPERATOR, ())}
    if kept.keys() - {OPERATOR} and set(trusted) - known:
        kept = _without_namesakes(kept, trusted)
    return kept


def _without_namesakes(
    sources: Mapping[str, tuple[str, ...]], trusted: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """An application's CA gives way to a later one of the servers that has its name."""
    from ..rules.client_certificate import exclude_same_subjects  # noqa: PLC0415

    kept = {
        source: pems if source == OPERATOR else exclude_same_subjects(pems, trusted)
        for source, pems in sources.items()
    }
    return {source: pems for source, pems in kept.items() if pems}
