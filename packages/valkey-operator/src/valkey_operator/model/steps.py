"""What the leader can change on servers and Sentinels, one small step each; all safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass

from ..rules.accounts import Account


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
class RecordAccountsDigest:
    """Record on a server or Sentinel which accounts it was given.

    Attributes:
        address: Where.
        digest: See :func:`valkey_operator.rules.accounts_digest.accounts_digest`.
        old: The digests that it replaces.
        on_sentinel: Whether the Sentinel is meant.
    """

    address: str
    digest: str
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
    """Make a server speak TLS instead of plain, or plain instead of TLS."""

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
    """Make a Sentinel forget removed units, once all Sentinels know that many others.

    Attributes:
        address: The Sentinel.
        others: How many other Sentinels, and how many replicas, there are.
    """

    address: str
    others: int


Step = (
    SetAccounts
    | DropAccounts
    | RecordAccountsDigest
    | ConfigureServer
    | SwitchTls
    | ConfigureSentinel
    | ResetSentinel
)
