"""Carries out what was planned; each action is safe to repeat."""

from __future__ import annotations

from collections.abc import Iterable

import valkey

from valkey_client import Access, ValkeyProvider

from .accounts import Version
from .cluster import Cluster
from .peers import Peers
from .plan import (
    Action,
    ConfigureSentinel,
    ConfigureServer,
    DropAccounts,
    Facts,
    Grant,
    Refuse,
    ResetSentinel,
    SetAccounts,
    Share,
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
    actions: Iterable[Action],
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
    refusals: list[Refuse] = []
    for action in actions:
        match action:
            case Grant():
                grants.append(action)
            case Refuse():
                refusals.append(action)
            case UpdateTopology(topology):
                provider.update(topology)
            case Withdraw(relation_id, request_ids):
                provider.withdraw(relation_id, request_ids)
            case Share(shared):
                peers.share(shared)
            case _:
                try:
                    _apply_to_servers(action, cluster, _version(facts))
                except valkey.ValkeyError as error:
                    raise NodeError(action.address, error) from error
    provider.publish_all((grant.request, _access(grant), ()) for grant in grants)
    provider.reject_all((refusal.request, refusal.status) for refusal in refusals)


def _apply_to_servers(
    action: SetAccounts | DropAccounts | ConfigureServer | ConfigureSentinel | ResetSentinel,
    cluster: Cluster,
    version: Version,
) -> None:
    match action:
        case SetAccounts(address, accounts, on_sentinel=True):
            cluster.set_sentinel_accounts(address, accounts, version)
        case SetAccounts(address, accounts):
            cluster.set_accounts(address, accounts, version)
        case DropAccounts(address, names, on_sentinel=True):
            cluster.drop_accounts(cluster.sentinel(address), names)
        case DropAccounts(address, names):
            cluster.drop_accounts(cluster.server(address), names)
        case ConfigureServer(address, name, value):
            cluster.configure_server(address, name, value)
        case ConfigureSentinel(address, name, value):
            cluster.configure_sentinel(address, name, value)
        case ResetSentinel(address):
            cluster.reset_sentinel(address)


def _access(grant: Grant) -> Access:
    return Access(
        prefix=grant.account.prefix,
        username=grant.account.name,
        password=grant.password,
        topology=grant.topology,
    )


def _version(facts: Facts) -> Version:
    """The oldest server's: what it understands, all do."""
    return min((server.version for server in facts.cluster.servers.values()), default=(0, 0, 0))
