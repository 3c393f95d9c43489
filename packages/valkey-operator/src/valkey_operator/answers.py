"""What each request is answered: the policy of who gets what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from valkey_client import AccessRequest, RelationStatus, RequestOptions, Topology, statuses

from . import databases
from .accounts import DATABASE_ACL, Account, digest
from .facts import Asked, Facts
from .overlap import sharers
from .settings import Settings
from .steps import Grant, Refuse

CERTIFICATE = "secret-mtls"
"""The field that a client's certificate comes with."""


@dataclass
class Answers:
    """The answers of one hook.

    Attributes:
        grants: What is given, or given otherwise than before.
        refusals: What is not.
        waiting: Relations that must be looked at again when something else changes.
        databases: Whose database each is, after these answers.
    """

    databases: dict[str, int]
    grants: list[Grant] = field(default_factory=list[Grant])
    refusals: list[Refuse] = field(default_factory=list[Refuse])
    waiting: set[int] = field(default_factory=set[int])

    def refuse(self, request: AccessRequest, status: RelationStatus) -> None:
        """Refuse a request for now."""
        self.refusals.append(Refuse(request, status))
        self.waiting.add(request.relation_id)


def answer(
    facts: Facts,
    kept: Mapping[str, Account],
    topology: Topology | None,
    new_password: Callable[[], str],
    problems: Mapping[str, str] | None = None,
) -> Answers:
    """Answer every request that was looked at and is not answered as it stands.

    Args:
        facts: The state of everything.
        kept: The accounts that stay, by name.
        topology: Where the service is, None while there is no primary.
        new_password: Makes a password for a new account.
        problems: Why a client's certificate is not trusted, by the account's name.
    """
    answers = Answers(dict(facts.shared.databases))
    reason = _must_wait(facts, topology)
    for asked in facts.asked:
        for request in asked.requests.requests:
            standing = _standing(asked, request, kept)
            if reason or topology is None or facts.settings is None:
                _postpone(answers, request, asked, reason)
                continue
            others = [*kept.values(), *(grant.account for grant in answers.grants)]
            if not standing and (status := _not_isolated(facts.settings, request, others)):
                answers.refuse(request, status)
                continue
            options, database, notices = _allow(facts, facts.settings, asked, request, answers)
            if problem := (problems or {}).get(request.username):
                notices = (*notices, statuses.ignored_field(CERTIFICATE, problem))
            if (shown := asked.shown.get(request.request_id)) and shown.is_missing:
                answers.waiting.add(request.relation_id)
            account = _account(request, options, database)
            if standing:
                account = replace(account, sha256=standing.sha256)
                before = asked.granted[request.request_id]
                is_told = _of_certificate(before.statuses) == _of_certificate(notices)
                if account == standing and before.answers(request) and is_told:
                    continue
                answers.grants.append(Grant(request, account, "", topology, options, notices))
            else:
                password = new_password()
                account = replace(account, sha256=digest(password))
                answers.grants.append(
                    Grant(request, account, password, topology, options, notices)
                )
    return answers


def _of_certificate(said: Iterable[RelationStatus]) -> list[str]:
    """What is said of the client's certificate."""
    return [status.message for status in said if status.message.startswith(f"{CERTIFICATE} ")]


def _standing(asked: Asked, request: AccessRequest, kept: Mapping[str, Account]) -> Account | None:
    """The account whose password the requirer has, if it was made for the same prefix."""
    account = kept.get(request.username)
    response = asked.granted.get(request.request_id)
    prefix = str(request.prefix)
    if account is None or response is None or not account.prefix == response.resource == prefix:
        return None
    return account


def _must_wait(facts: Facts, topology: Topology | None) -> str:
    """Why no account can be given now, empty if it can.

    An account that a server lacks is worth nothing there, and a server that hangs may come back
    and be promoted, so all of them must be there.
    """
    if topology is None and facts.cluster.primary:
        return "the Valkey cluster changes to TLS, or back to plain connections"
    if topology is None:
        return "the Valkey cluster has no primary yet"
    if facts.settings is None:
        return "the configuration of Valkey must be corrected before new accounts are given"
    if units := facts.absent:
        return f"{', '.join(units)} of Valkey must answer before new accounts are given"
    return ""


def _postpone(answers: Answers, request: AccessRequest, asked: Asked, reason: str) -> None:
    """Wait, and take nothing away meanwhile: what was granted before is of use until then."""
    if request.request_id in asked.granted:
        answers.waiting.add(request.relation_id)
    else:
        answers.refuse(request, statuses.not_ready(reason))


def _not_isolated(
    settings: Settings, request: AccessRequest, others: Iterable[Account]
) -> RelationStatus | None:
    """Why the request cannot be served beside the others, if no name may be shared."""
    if not settings.is_strict:
        return None
    if request.prefix.is_everything:
        return statuses.not_isolated("isolation is strict here, and '*' is everybody's keys")
    if sharers(_account(request, RequestOptions(), 0), others):
        return statuses.not_isolated(
            f"isolation is strict here, and prefix {str(request.prefix)!r} overlaps one that"
            " another relation was given"
        )
    return None


def _allow(
    facts: Facts, settings: Settings, asked: Asked, request: AccessRequest, answers: Answers
) -> tuple[RequestOptions, int, tuple[RelationStatus, ...]]:
    """What of the options is granted, the database, and what the requirer is told of the rest."""
    options = request.options
    notices: list[RelationStatus] = []
    numbers, database = answers.databases, 0
    if options.own_database:
        whose = databases.owner(asked.application, str(request.prefix))
        oldest = facts.cluster.oldest
        if oldest < DATABASE_ACL:
            needed, found = (".".join(map(str, v)) for v in (DATABASE_ACL, oldest))
            reason = f"every server must be Valkey {needed} or later, and one is {found}"
            notices.append(statuses.ignored_field("own-database", reason))
            answers.waiting.add(asked.relation_id)  # Servers will be upgraded.
        elif database := databases.assign(numbers, whose, facts.cluster.databases):
            numbers[whose] = database
        else:
            reason = f"all {facts.cluster.databases} databases are taken"
            notices.append(statuses.ignored_field("own-database", reason))
    scan = options.scan and (settings.allow_scan or database > 0)
    if options.scan and not scan:
        reason = "the provider's operator has not allowed it (allow-scan)"
        notices.append(statuses.ignored_field("scan", reason))
    allowed = replace(options, scan=scan, own_database=database > 0)
    return allowed, database, tuple(notices)


def _account(request: AccessRequest, options: RequestOptions, database: int) -> Account:
    return Account(
        name=request.username,
        sha256="",
        prefix=str(request.prefix),
        relation_id=request.relation_id,
        request_id=request.request_id,
        channel_patterns=options.channel_patterns,
        keyspace_events=options.keyspace_events,
        scan=options.scan and not database,
        database=database,
    )
