"""Carries out what was planned; each action is safe to repeat."""

from __future__ import annotations

from collections.abc import Iterable

from valkey_client import Access, ValkeyProvider

from .cluster import Cluster
from .connection import ServerError
from .facts import Facts
from .peers import Peers
from .steps import (
    ConfigureSentinel,
    ConfigureServer,
    DropAccounts,
    Grant,
    Inform,
    MarkAccounts,
    Refuse,
    ResetSentinel,
    SetAccounts,
    Share,
    Step,
    SwitchTls,
    UpdateTopology,
    Withdraw,
)


class NodeError(Exception):
    """A server or Sentinel failed an action.

    Attributes:
        address: Which.
    """

    def __init__(self, address: str, error: Exception):
        super().__init__(f"{address}: {error}")
        self.address = address


def apply(
    steps: Iterable[Step],
    cluster: Cluster,
    provider: ValkeyProvider,
    peers: Peers,
    facts: Facts,
) -> None:
    """Carry out a plan, in its order.

    Raises:
        NodeError: If a server failed; nothing has been published then.
    """
    grants: list[Grant] = []
    notices: list[Inform] = []
    refusals: list[Refuse] = []
    for step in steps:
        match step:
            case Grant():
                grants.append(step)
            case Inform():
                notices.append(step)
            case Refuse():
                refusals.append(step)
            case UpdateTopology(topology):
                provider.update(topology)
            case Withdraw(relation_id, request_ids):
                provider.withdraw(relation_id, request_ids)
            case Share(shared):
                peers.share(shared)
            case _:
                try:
                    _apply_to_servers(step, cluster, facts)
                except ServerError as error:
                    raise NodeError(step.address, error) from error
    provider.publish_all((grant.request, _access(grant), grant.statuses) for grant in grants)
    provider.inform_all((n.relation_id, n.request_id, n.code, n.status) for n in notices)
    provider.reject_all((refusal.request, refusal.status) for refusal in refusals)


def _apply_to_servers(
    step: SetAccounts
    | DropAccounts
    | MarkAccounts
    | ConfigureServer
    | SwitchTls
    | ConfigureSentinel
    | ResetSentinel,
    cluster: Cluster,
    facts: Facts,
) -> None:
    match step:
        case SetAccounts(address, accounts, on_sentinel):
            version = facts.version_of(address)
            cluster.set_accounts(address, accounts, version, on_sentinel=on_sentinel)
        case DropAccounts(address, names, on_sentinel):
            cluster.drop_accounts(address, names, on_sentinel=on_sentinel)
        case MarkAccounts(address, marker, old, on_sentinel):
            cluster.mark_accounts(address, marker, old, on_sentinel=on_sentinel)
        case ConfigureServer(address, name, value):
            cluster.configure_server(address, name, value)
        case SwitchTls(address, on):
            cluster.switch_tls(address, on=on)
        case ConfigureSentinel(address, name, value):
            cluster.configure_sentinel(address, name, value)
        case ResetSentinel(address, others):
            cluster.reset_sentinel(address, facts.cluster.sentinels, others)


def _access(grant: Grant) -> Access:
    return Access(
        prefix=grant.account.prefix,
        username=grant.account.name,
        password=grant.password,
        topology=grant.topology,
        database=grant.account.database,
        options=grant.options,
    )
