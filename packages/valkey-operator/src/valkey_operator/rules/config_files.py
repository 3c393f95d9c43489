"""The configuration files of this unit's servers, as text.

What can change while a server runs is set by the leader; the files hold it only until then.
Everything else is compared as a digest: if it differs from what a server was started with, the
server has to restart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from valkey_client.messages import PRIMARY_NAME

from . import accounts, databases, internal_accounts, sentinel_file
from .accounts import Version
from .epochs import majority
from .passwords import Passwords
from .resource_limits import resource_limits
from .settings import Settings

PORT = 6379
SENTINEL_PORT = 26379

SERVER, SENTINEL = "valkey.conf", "sentinel.conf"
SERVER_ACCOUNTS, SENTINEL_ACCOUNTS = "users.acl", "sentinel.acl"
ACCEPTED = "accept-data-loss"
"""The file that says that a person has accepted that data are missing."""

START_FACTS = "start.json"
"""What the check before each start knows; it holds the charm's password."""

SENTINEL_SCRIPT = "primary-changed.sh"

NOT_PROMOTABLE, PROMOTABLE = "0", "100"
"""Values of ``replica-priority``."""

MAX_CLIENTS = "10000"
"""The server's default. It lowers it itself where it may open fewer files."""

MAX_LAG = "3"
"""Seconds of silence after which a replica no longer counts for ``min-replicas-to-write``."""


@dataclass(frozen=True)
class Configuration:
    """Everything that the files of a unit depend on.

    Attributes:
        address: What the servers listen on and announce.
        directory: Where the files are.
        version: Of the server.
        memory: Of the machine, in bytes.
        passwords: Of the internal accounts.
        settings: The charm's configuration.
    """

    address: str
    directory: Path
    version: Version
    memory: int
    passwords: Passwords
    settings: Settings

    @property
    def digest(self) -> str:
        """Of everything that takes effect only at a start; equal for equal configuration."""
        common = replace(self, address="", directory=Path())
        text = "\n".join([*common.fixed_server(), *common.fixed_sentinel(), str(self.version)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def server(self, data: Path, primary: str, units: int, tls: Sequence[str] = ()) -> str:
        """The server's file.

        Args:
            data: Where the server keeps its data.
            primary: The primary that it follows; its own address if it is the primary.
            units: How many units there are.
            tls: The lines of TLS, which override those before them.
        """
        lines = [
            *self.fixed_server(),
            f'dir "{data}"',
            # The leader raises it when the server has all accounts and is in sync.
            f"replica-priority {NOT_PROMOTABLE}",
            # A former primary that comes back alone must not accept writes.
            f"min-replicas-to-write {min_replicas(units)}",
            f"min-replicas-max-lag {MAX_LAG}",
            *(f"{n} {value}" for n, value in resource_limits(self.settings, self.memory).items()),
            f"maxclients {MAX_CLIENTS}",
            *tls,
        ]
        if primary != self.address:
            lines.append(f"replicaof {primary} {PORT}")
        return "\n".join(lines) + "\n"

    def sentinel(self, primary: str, units: int, old: str, tls: Sequence[str] = ()) -> str:
        """The Sentinel's file.

        Args:
            primary: The primary to monitor.
            units: How many units there are.
            old: The file as the Sentinel left it, empty if there is none.
            tls: The lines of TLS, which override those before them.
        """
        name, settings = PRIMARY_NAME, self.settings
        lines = [
            f"sentinel monitor {name} {primary} {PORT} {majority(units)}",
            f"sentinel down-after-milliseconds {name} {settings.down_after * 1000}",
            f"sentinel failover-timeout {name} {settings.failover_timeout * 1000}",
            *self.fixed_sentinel(),
            *tls,
            *sentinel_file.learned_lines(old, primary, PORT, SENTINEL_PORT),
        ]
        return "\n".join(lines) + "\n"

    def fixed_server(self) -> Iterable[str]:
        """The lines of the server that cannot change while it runs."""
        yield f"bind {self.address}"
        yield f"bind-source-addr {self.address}"
        yield f"port {PORT}"
        yield f'aclfile "{self.directory}/{SERVER_ACCOUNTS}"'
        yield f"io-threads {self.settings.io_threads}"
        if self.version >= accounts.DATABASE_ACL:
            yield f"databases {databases.COUNT}"
        for name, value in self.kept_settings().items():
            yield f"{name} {value}" if value else f'{name} ""'

    def kept_settings(self) -> Mapping[str, str]:
        """What a server has from its start to its end, spelled as ``CONFIG GET`` returns it.

        A person can change these while it runs; the unit looks at them and puts them right.
        """
        return {
            "protected-mode": "no",
            # Without an append-only file a primary that restarts quickly is empty, and its
            # replicas then sync to nothing.
            "appendonly": "yes",
            "appendfsync": "everysec",
            "no-appendfsync-on-rewrite": "no",
            "aof-load-truncated": "yes",
            "aof-timestamp-enabled": "yes",
            "auto-aof-rewrite-percentage": "100",
            "auto-aof-rewrite-min-size": "67108864",
            "save": "",
            "repl-diskless-sync": "yes",
            "repl-diskless-sync-delay": "0",
            "repl-timeout": "60",
            "replica-read-only": "yes",
            "replica-serve-stale-data": "yes",
            # Sentinel registers the address that a replica announces, else its source address.
            "replica-announce-ip": self.address,
            "replica-announce-port": str(PORT),
            "replica-announced": "yes",
            "masteruser": internal_accounts.REPLICATION,
            "masterauth": self.passwords.replication,
            "timeout": "0",
            "tcp-keepalive": "300",
        }

    def fixed_sentinel(self) -> Iterable[str]:
        """The lines of the Sentinel that cannot change while it runs."""
        name = PRIMARY_NAME
        yield f"bind {self.address}"
        yield f"port {SENTINEL_PORT}"
        yield f'dir "{self.directory}"'
        yield f'aclfile "{self.directory}/{SENTINEL_ACCOUNTS}"'
        yield "protected-mode no"
        yield f"sentinel announce-ip {self.address}"
        yield f"sentinel announce-port {SENTINEL_PORT}"
        yield f"sentinel sentinel-user {internal_accounts.SENTINEL_PEER}"
        yield f"sentinel sentinel-pass {self.passwords.sentinel_peer}"
        yield f"sentinel parallel-syncs {name} 1"
        yield f"sentinel auth-user {name} {internal_accounts.SENTINEL}"
        yield f"sentinel auth-pass {name} {self.passwords.sentinel}"
        # Cannot be set on a running Sentinel, and must be executable when it starts.
        yield f"sentinel client-reconfig-script {name} {self.directory}/{SENTINEL_SCRIPT}"


def min_replicas(units: int) -> int:
    """The value of ``min-replicas-to-write``: replicas that a primary needs to accept writes.

    With two units, the loss of the only replica would stop all writes.
    """
    return 1 if units >= 3 else 0
