"""The passwords of the charm's own accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import accounts, internal_accounts


@dataclass(frozen=True)
class Passwords:
    """The passwords of the internal accounts; they live in one secret of the application."""

    admin: str = field(repr=False)
    replication: str = field(repr=False)
    sentinel: str = field(repr=False)
    sentinel_peer: str = field(repr=False)

    @classmethod
    def read(cls, content: Mapping[str, str]) -> Passwords:
        """From the secret's content."""
        return cls(
            admin=content["admin-password"],
            replication=content["replication-password"],
            sentinel=content["sentinel-password"],
            sentinel_peer=content["sentinel-peer-password"],
        )

    def content(self) -> dict[str, str]:
        """The secret's content."""
        return {
            "admin-password": self.admin,
            "replication-password": self.replication,
            "sentinel-password": self.sentinel,
            "sentinel-peer-password": self.sentinel_peer,
        }

    def digests(self) -> dict[str, str]:
        """Name of the account to SHA-256 of its password."""
        return {
            internal_accounts.ADMIN: accounts.digest(self.admin),
            internal_accounts.REPLICATION: accounts.digest(self.replication),
            internal_accounts.SENTINEL: accounts.digest(self.sentinel),
            internal_accounts.SENTINEL_PEER: accounts.digest(self.sentinel_peer),
        }
