"""This unit's pair of servers: their configuration, their start and stop."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from valkey_client.messages import PRIMARY_NAME

from . import accounts, databases, internal
from .accounts import Account
from .aclfile import acl_file
from .limits import limits
from .settings import Settings
from .workload import Service, Workload, WorkloadError

PORT = 6379
SENTINEL_PORT = 26379

_SERVER_ACCOUNTS = "users.acl"
_SENTINEL_ACCOUNTS = "sentinel.acl"
_WAKE = "primary-changed.sh"


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
            internal.ADMIN: accounts.digest(self.admin),
            internal.REPLICATION: accounts.digest(self.replication),
            internal.SENTINEL: accounts.digest(self.sentinel),
            internal.SENTINEL_PEER: accounts.digest(self.sentinel_peer),
        }


@dataclass(frozen=True)
class Node:
    """The servers of this unit.

    Attributes:
        workload: Where they run.
        address: What they listen on and announce.
    """

    workload: Workload
    address: str

    def is_running(self) -> bool:
        """Whether both servers run."""
        return self.workload.is_running("server") and self.workload.is_running("sentinel")

    def known_primary(self) -> str:
        """The primary that this unit's Sentinel knew when it last wrote its configuration."""
        for line in (self.workload.read("sentinel.conf") or "").splitlines():
            words = line.split()
            if words[:3] == ["sentinel", "monitor", PRIMARY_NAME] and len(words) > 3:
                return words[3]
        return ""

    def start(
        self,
        primary: str,
        passwords: Passwords,
        clients: Iterable[Account],
        settings: Settings,
        quorum: int,
    ) -> None:
        """Start what does not run, with every account that shall exist.

        A server never comes back as a primary by its own memory: it follows the primary that it
        is told. It can be promoted only after the leader has seen its accounts
        (``replica-priority``).

        Args:
            primary: The address of the current primary.
            passwords: Of the internal accounts.
            clients: The client accounts that shall exist.
            settings: The charm's configuration.
            quorum: How many Sentinels must agree that the primary is down.

        Raises:
            WorkloadError: If a server does not start.
        """
        self.keep_accounts(passwords, clients)
        if not self.workload.is_running("server"):
            self.workload.write("valkey.conf", self._server_conf(primary, passwords, settings))
            self._launch("server", ["valkey.conf"])
        if not self.workload.is_running("sentinel"):
            script = self.workload.wake_script(self.address)
            self.workload.write(_WAKE, script, executable=True)
            if not self.known_primary():
                conf = self._sentinel_conf(primary, passwords, settings, quorum)
                self.workload.write("sentinel.conf", conf)
            self._launch("sentinel", ["sentinel.conf", "--sentinel"])

    def keep_accounts(self, passwords: Passwords, clients: Iterable[Account]) -> bool:
        """Write the files from which the servers take their accounts when they start.

        Returns:
            Whether they said something else before.
        """
        listed = tuple(clients)
        marker = accounts.marker(listed)
        text = self.workload.read(_SERVER_ACCOUNTS) or ""
        if f"\nuser {marker} " in text and self.workload.read(_SENTINEL_ACCOUNTS):
            return False
        version = self.workload.version()
        digests = passwords.digests()
        common = {marker: accounts.MARKER_RULE}
        on_sentinel = internal.internal_sentinel_rules(digests, version) | common
        on_sentinel |= {account.name: account.sentinel_rule(version) for account in listed}
        on_server = internal.internal_server_rules(digests) | common
        on_server |= {account.name: account.server_rule(version) for account in listed}
        # The server's file last: it is the one that tells whether both are up to date.
        self.workload.write(_SENTINEL_ACCOUNTS, acl_file(on_sentinel))
        self.workload.write(_SERVER_ACCOUNTS, acl_file(on_server))
        return True

    def stop(self) -> None:
        """Stop both servers, the Sentinel first, so that it does not see its server die."""
        self.workload.stop("sentinel")
        self.workload.stop("server")

    def _launch(self, service: Service, arguments: list[str]) -> None:
        for attempt in range(2):
            try:
                self.workload.start(service, arguments)
            except WorkloadError:
                # The port of a server that was killed a moment ago may still be taken.
                if attempt:
                    raise
                time.sleep(0.5)
            else:
                return

    def _server_conf(self, primary: str, passwords: Passwords, settings: Settings) -> str:
        directory = self.workload.directory
        bounds = limits(settings, self.workload.memory())
        lines = [
            f"bind {self.address}",
            f"bind-source-addr {self.address}",
            f"port {PORT}",
            f'dir "{self.workload.data}"',
            f'aclfile "{directory}/{_SERVER_ACCOUNTS}"',
            "protected-mode no",
            # With appendonly off, a primary that restarts quickly comes back empty and its
            # replicas follow it into emptiness.
            "appendonly yes",
            'save ""',
            "repl-diskless-sync-delay 0",
            # Sentinel registers the address that a replica announces, else the one it came from.
            f"replica-announce-ip {self.address}",
            f"replica-announce-port {PORT}",
            "replica-priority 0",
            f"masteruser {internal.REPLICATION}",
            f"masterauth {passwords.replication}",
            *(f"{name} {value}" for name, value in bounds.items()),
            # The server's default. It lowers it by itself where it may open fewer files.
            "maxclients 10000",
        ]
        if self.workload.version() >= accounts.DATABASE_ACL:
            lines.append(f"databases {databases.COUNT}")
        if primary != self.address:
            lines.append(f"replicaof {primary} {PORT}")
        return "\n".join(lines) + "\n"

    def _sentinel_conf(
        self, primary: str, passwords: Passwords, settings: Settings, quorum: int
    ) -> str:
        directory = self.workload.directory
        name = PRIMARY_NAME
        lines = [
            f"bind {self.address}",
            f"port {SENTINEL_PORT}",
            f'dir "{directory}"',
            f'aclfile "{directory}/{_SENTINEL_ACCOUNTS}"',
            "protected-mode no",
            f"sentinel announce-ip {self.address}",
            f"sentinel announce-port {SENTINEL_PORT}",
            f"sentinel sentinel-user {internal.SENTINEL_PEER}",
            f"sentinel sentinel-pass {passwords.sentinel_peer}",
            f"sentinel monitor {name} {primary} {PORT} {quorum}",
            f"sentinel down-after-milliseconds {name} {settings.down_after * 1000}",
            f"sentinel failover-timeout {name} {settings.failover_timeout * 1000}",
            f"sentinel parallel-syncs {name} 1",
            f"sentinel auth-user {name} {internal.SENTINEL}",
            f"sentinel auth-pass {name} {passwords.sentinel}",
            # Cannot be set on a Sentinel that runs, and must be executable when it starts.
            f"sentinel client-reconfig-script {name} {directory}/{_WAKE}",
        ]
        return "\n".join(lines) + "\n"


def majority(units: int) -> int:
    """The quorum of so many Sentinels."""
    return units // 2 + 1
