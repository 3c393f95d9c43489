"""The passwords of the charm's own accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import accounts, internal_accounts


@dataclass(frozen=True)
class Passwords:
    """The passwords of the internal accounts, kept in one secret of the application."""

    admin: str = field(repr=False)
    replication: str = field(repr=False)
    sentinel: str = field(repr=False)
    sentinel_peer: str = field(repr=False)

    @classmethod
    def read(cls, content: Mapping[str, str]) -> Passwords:
        """From the content of the secret."""
        return cls(
            admin=content["admin-password"],
            replication=content["replication-password"],
            sentinel=content["sentinel-password"],
            sentinel_peer=content["sentinel-peer-password"],
        )

    def content(self) -> dict[str, str]:
        """The content of the secret."""
        return {
            "admin-password": self.admin,
            "replication-password": self.replication,
            "sentinel-password": self.sentinel,
            "sentinel-peer-password": self.sentinel_peer,
        }

    def digests(self) -> dict[str, str]:
        """SHA-256 of each password, by name of the account."""
        return {
            internal_accounts.ADMIN: accounts.password_digest(self.admin),
            internal_accounts.REPLICATION: accounts.password_digest(self.replication),
            internal_accounts.SENTINEL: accounts.password_digest(self.sentinel),
            internal_accounts.SENTINEL_PEER: accounts.password_digest(self.sentinel_peer),
        }
