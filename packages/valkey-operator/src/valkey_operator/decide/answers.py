"""How each request is answered: the policy of who gets what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from valkey_client import (
    Access,
    AccessRequest,
    Grant,
    Refusal,
    RelationStatus,
    RequestOptions,
    Topology,
    statuses,
)

from ..model.facts import ClientRelation, Facts
from ..rules import databases
from ..rules.accounts import DATABASE_ACL, Account, password_digest
from ..rules.overlap import sharers
from ..rules.settings import Settings

CERTIFICATE = "secret-mtls"
"""The field that a client's certificate comes with."""


@dataclass
class Answers:
    """The answers of one hook.

    Attributes:
        databases: Who owns each database, after these answers.
        grants: Access that is given, or that changes.
        accounts: The accounts of the grants, by name.
        refusals: Requests that are not granted, or not yet.
        waiting: Relations that must be looked at again when something else changes.
    """

    databases: dict[str, int]
    grants: list[Grant] = field(default_factory=list[Grant])
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    refusals: list[Refusal] = field(default_factory=list[Refusal])
    waiting: set[int] = field(default_factory=set[int])

    def refuse(self, request: AccessRequest, status: RelationStatus) -> None:
        """Refuse a request for now."""
        self.refusals.append(Refusal(request, status))
        self.waiting.add(request.relation_id)

    def grant(
        self,
        request: AccessRequest,
        account: Account,
        topology: Topology,
        *,
        options: RequestOptions,
        notices: tuple[RelationStatus, ...],
        password: str = "",
    ) -> None:
        """Give access; without a password the account keeps the one it has."""
        access = Access(
            prefix=account.prefix,
            username=account.name,
            password=password,
            topology=topology,
            database=account.database,
            options=options,
        )
        self.grants.append(Grant(request, access, notices))
        self.accounts[account.name] = account


def answer_requests(
    facts: Facts,
    kept: Mapping[str, Account],
    topology: Topology | None,
    new_password: Callable[[], str],
    problems: Mapping[str, str] | None = None,
) -> Answers:
    """Answer every request that this hook looks at and whose answer has to change.

    Args:
        facts: The state of everything.
        kept: The accounts that stay, by name.
        topology: Where the service is, None while there is no primary.
        new_password: Makes a password for a new account.
        problems: Why a client's certificate is not trusted, by the account's name.
    """
    answers = Answers(dict(facts.shared.databases))
    reason = _reason_to_wait(facts, topology)
    for relation in facts.client_relations:
        for request in relation.requests.requests:
            standing = _standing_account(relation, request, kept)
            if reason or topology is None or facts.settings is None:
                _postpone(answers, request, relation, reason)
                continue
            others = [*kept.values(), *answers.accounts.values()]
            if not standing and (status := _not_isolated(facts.settings, request, others)):
                answers.refuse(request, status)
                continue
            options, database, notices = _allow(facts, facts.settings, relation, request, answers)
            if problem := (problems or {}).get(request.username):
                notices = (*notices, statuses.ignored_field(CERTIFICATE, problem))
            certificate = relation.certificates.get(request.request_id)
            if certificate and certificate.is_missing:
                answers.waiting.add(request.relation_id)
            account = _account(request, options, database)
            if not standing:
                password = new_password()
                account = replace(account, sha256=password_digest(password))
                answers.grant(
                    request,
                    account,
                    topology,
                    options=options,
                    notices=notices,
                    password=password,
                )
                continue
            account = replace(account, sha256=standing.sha256)
            response = relation.granted[request.request_id]
            is_told = _about_certificate(response.statuses) == _about_certificate(notices)
            if account != standing or not response.answers(request) or not is_told:
                answers.grant(request, account, topology, options=options, notices=notices)
    return answers


def _about_certificate(notices: Iterable[RelationStatus]) -> list[str]:
    """What is said about the client's certificate."""
    return [status.message for status in notices if status.message.startswith(f"{CERTIFICATE} ")]


def _standing_account(
    relation: ClientRelation, request: AccessRequest, kept: Mapping[str, Account]
) -> Account | None:
    """The account whose password the requirer has, if it was made for the same prefix."""
    account = kept.get(request.username)
    response = relation.granted.get(request.request_id)
    prefix = str(request.prefix)
    if account is None or response is None or not account.prefix == response.resource == prefix:
        return None
    return account


def _reason_to_wait(facts: Facts, topology: Topology | None) -> str:
    """Why no account can be given now, empty if it can.

    Every server must answer: an account that a server lacks is worth nothing there, and a server
    that hangs may come back and be promoted.
    """
    if topology is None and facts.cluster.primary:
        return "the Valkey cluster is switching TLS on or off"
    if topology is None:
        return "the Valkey cluster has no primary yet"
    if facts.settings is None:
        return "the configuration of Valkey must be corrected before new accounts are given"
    if units := facts.absent_units:
        return f"{', '.join(units)} of Valkey must answer before new accounts are given"
    return ""


def _postpone(
    answers: Answers, request: AccessRequest, relation: ClientRelation, reason: str
) -> None:
    """Wait, and take nothing away meanwhile: what was granted stays useful until then."""
    if request.request_id in relation.granted:
        answers.waiting.add(request.relation_id)
    else:
        answers.refuse(request, statuses.not_ready(reason))


def _not_isolated(
    settings: Settings, request: AccessRequest, others: Iterable[Account]
) -> RelationStatus | None:
    """Why the request cannot be served beside the others, if prefixes may not be shared."""
    if not settings.is_strict:
        return None
    if request.prefix.is_everything:
        return statuses.not_isolated("isolation is strict here, and '*' covers everybody's keys")
    if sharers(_account(request, RequestOptions(), 0), others):
        return statuses.not_isolated(
            f"isolation is strict here, and prefix {str(request.prefix)!r} overlaps one that"
            " another relation was given"
        )
    return None


def _allow(
    facts: Facts,
    settings: Settings,
    relation: ClientRelation,
    request: AccessRequest,
    answers: Answers,
) -> tuple[RequestOptions, int, tuple[RelationStatus, ...]]:
    """The options that are granted, the database, and what the requirer is told of the rest."""
    options = request.options
    notices: list[RelationStatus] = []
    numbers, database = answers.databases, 0
    if options.own_database:
        owner = databases.owner(relation.application, str(request.prefix))
        oldest = facts.cluster.oldest
        if oldest < DATABASE_ACL:
            required, present = (".".join(map(str, v)) for v in (DATABASE_ACL, oldest))
            reason = f"every server must be Valkey {required} or later, and one is {present}"
            notices.append(statuses.ignored_field("own-database", reason))
            answers.waiting.add(relation.relation_id)  # Servers will be upgraded.
        elif database := databases.assign(numbers, owner, facts.cluster.databases):
            numbers[owner] = database
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
