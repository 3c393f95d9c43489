"""What the leader can do, one small step each; all are safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass, field

from valkey_client import AccessRequest, RelationStatus, RequestOptions, Topology

from .accounts import Account
from .peers import Shared


@dataclass(frozen=True)
class SetAccounts:
    """Create or replace accounts on one server or Sentinel."""

    address: str
    accounts: tuple[Account, ...]
    on_sentinel: bool = False


@dataclass(frozen=True)
class DropAccounts:
    """Delete accounts on one server or Sentinel, with their connections."""

    address: str
    names: tuple[str, ...]
    on_sentinel: bool = False


@dataclass(frozen=True)
class MarkAccounts:
    """Note on a server or Sentinel which accounts it was given.

    Attributes:
        address: Where.
        marker: The note, as :func:`valkey_operator.marker.marker` makes it.
        old: The notes that it replaces.
        on_sentinel: Whether the Sentinel is meant.
    """

    address: str
    marker: str
    old: tuple[str, ...] = ()
    on_sentinel: bool = False


@dataclass(frozen=True)
class ConfigureServer:
    """Change a setting of a server."""

    address: str
    name: str
    value: str


@dataclass(frozen=True)
class SwitchTls:
    """Let a server speak TLS instead of plain, or plain instead of TLS."""

    address: str
    on: bool


@dataclass(frozen=True)
class ConfigureSentinel:
    """Change a setting of a Sentinel."""

    address: str
    name: str
    value: str


@dataclass(frozen=True)
class ResetSentinel:
    """Let a Sentinel forget units that are gone, once all Sentinels know so many others."""

    address: str
    others: int


@dataclass(frozen=True)
class Grant:
    """Publish an account to its requirer.

    Attributes:
        request: What was asked for.
        account: What is given.
        password: A new one, or empty if the account keeps the one it has.
        topology: Where the service is.
        options: What is given beyond the prefix.
        statuses: What to say about it.
    """

    request: AccessRequest
    account: Account
    password: str = field(repr=False)
    topology: Topology
    options: RequestOptions = field(default_factory=RequestOptions)
    statuses: tuple[RelationStatus, ...] = ()


@dataclass(frozen=True)
class Inform:
    """Say something about a request that was granted, or no longer.

    Attributes:
        relation_id: The relation.
        request_id: The request.
        code: Of the status that is said or taken back.
        status: What is said; None to take it back.
    """

    relation_id: int
    request_id: str
    code: int
    status: RelationStatus | None


@dataclass(frozen=True)
class Refuse:
    """Tell a requirer why it is not served."""

    request: AccessRequest
    status: RelationStatus


@dataclass(frozen=True)
class Withdraw:
    """Take back what was published for requests that are gone."""

    relation_id: int
    request_ids: tuple[str, ...]


@dataclass(frozen=True)
class UpdateTopology:
    """Tell every requirer where the service is now."""

    topology: Topology


@dataclass(frozen=True)
class Share:
    """Tell the other units."""

    shared: Shared


Step = (
    SetAccounts
    | DropAccounts
    | MarkAccounts
    | ConfigureServer
    | SwitchTls
    | ConfigureSentinel
    | ResetSentinel
    | Grant
    | Inform
    | Refuse
    | Withdraw
    | UpdateTopology
    | Share
)
