"""Carries out a plan; each step is safe to repeat and is one line in the log."""

from __future__ import annotations

import logging

from valkey_client import Grant, Notice, Refusal, ValkeyProvider, Withdrawal
from valkey_client.messages import account_name

from .decide.plan import Answer, Plan
from .model.facts import Facts
from .model.peer_data import SharedState
from .model.steps import (
    ConfigureSentinel,
    ConfigureServer,
    DropAccounts,
    RecordAccountsDigest,
    ResetSentinel,
    SetAccounts,
    Step,
    SwitchTls,
)
from .peers import Peers
from .servers.cluster import Cluster
from .servers.connection import ServerError

logger = logging.getLogger(__name__)

_MAX_NAMES = 10
"""How many accounts one log line names."""


class NodeError(Exception):
    """A server or Sentinel failed a step.

    Attributes:
        address: Which.
    """

    def __init__(self, address: str, error: Exception):
        super().__init__(f"{address}: {error}")
        self.address = address


def apply_plan(
    plan: Plan, facts: Facts, cluster: Cluster, provider: ValkeyProvider, peers: Peers
) -> None:
    """Carry out a plan: servers first, then what requirers and units are told.

    Raises:
        NodeError: If a server failed; nothing has been published then.
    """
    for step in plan.steps:
        try:
            _apply_step(step, facts, cluster)
        except ServerError as error:
            raise NodeError(step.address, error) from error
    if plan.shared != facts.shared:
        _log_shared(facts, plan.shared)
        peers.update_shared(plan.shared)
    for answer in plan.answers:
        _log_answer(answer, facts)
    if plan.topology:
        logger.info(
            "telling clients: primary %s, replicas %s, Sentinels %s",
            *(
                ", ".join(map(str, endpoints)) or "none"
                for endpoints in (
                    plan.topology.endpoints,
                    plan.topology.read_only_endpoints,
                    plan.topology.sentinel_endpoints,
                )
            ),
        )
    if plan.answers or plan.topology:
        provider.respond(plan.answers, topology=plan.topology)


def _apply_step(step: Step, facts: Facts, cluster: Cluster) -> None:
    match step:
        case SetAccounts(address, accounts, on_sentinel):
            names = _names([account.name for account in accounts])
            logger.info("%s: setting accounts %s", _node(facts, address, on_sentinel), names)
            version = facts.version_of(address)
            cluster.set_accounts(address, accounts, version, on_sentinel=on_sentinel)
        case DropAccounts(address, names, on_sentinel):
            logger.info(
                "%s: dropping accounts %s", _node(facts, address, on_sentinel), _names(names)
            )
            cluster.drop_accounts(address, names, on_sentinel=on_sentinel)
        case RecordAccountsDigest(address, digest, old, on_sentinel):
            logger.debug("%s: recording %s", _node(facts, address, on_sentinel), digest)
            cluster.record_accounts_digest(address, digest, old, on_sentinel=on_sentinel)
        case ConfigureServer(address, name, value):
            logger.info("%s: setting %s to %r", _node(facts, address), name, value)
            cluster.configure_server(address, name, value)
        case SwitchTls(address, on):
            logger.info("%s: switching TLS %s", _node(facts, address), _on_off(on))
            cluster.switch_tls(address, on=on)
        case ConfigureSentinel(address, name, value):
            logger.info("%s: setting %s to %s", _node(facts, address, True), name, value)
            cluster.configure_sentinel(address, name, value)
        case ResetSentinel(address, others):
            logger.info("%s: resetting, to forget removed units", _node(facts, address, True))
            cluster.reset_sentinel(address, facts.cluster.sentinels, others)


def _node(facts: Facts, address: str, on_sentinel: bool = False) -> str:
    kind = "Sentinel" if on_sentinel else "server"
    return f"{kind} of {facts.unit_at(address)} ({address})"


def _on_off(on: bool) -> str:
    return "on" if on else "off"


def _names(names: list[str] | tuple[str, ...]) -> str:
    more = len(names) - _MAX_NAMES
    return ", ".join(names[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def _log_shared(facts: Facts, shared: SharedState) -> None:
    """What of it is news to an operator."""
    before = facts.shared
    if (shared.first_primary, shared.epoch) != (before.first_primary, before.epoch):
        logger.info(
            "primary is %s (%s), epoch %d",
            facts.unit_at(shared.first_primary),
            shared.first_primary,
            shared.epoch,
        )
    if shared.tls.on != before.tls.on:
        logger.info("TLS is switched %s", _on_off(shared.tls.on))
    elif shared.tls.is_strict and not before.tls.is_strict:
        logger.info("all servers and Sentinels speak TLS")
    if shared.tls.cas != before.tls.cas:
        logger.info("servers trust CA certificates: %d", len(shared.tls.cas))
    if shared.tls.client_cas != before.tls.client_cas:
        logger.info("servers trust CA certificates of clients: %d", len(shared.tls.client_cas))


def _log_answer(answer: Answer, facts: Facts) -> None:
    match answer:
        case Grant(request, access):
            what = "a new account" if access.password else "a change"
            logger.info(
                "%s: granted %s, %s for prefix %s",
                facts.name_of(request.relation_id),
                access.username,
                what,
                access.prefix,
            )
        case Refusal(request, status):
            logger.info(
                "%s: refused prefix %s (%d): %s",
                facts.name_of(request.relation_id),
                request.prefix,
                status.code,
                status.message,
            )
        case Withdrawal(relation_id, request_ids):
            names = [account_name(relation_id, request_id) for request_id in request_ids]
            logger.info("%s: withdrew the access of %s", facts.name_of(relation_id), _names(names))
        case Notice(relation_id, _, code, status):
            what = status.message if status else f"notice {code} no longer applies"
            logger.info("%s: %s", facts.name_of(relation_id), what)
