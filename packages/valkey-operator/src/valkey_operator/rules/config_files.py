"""The configuration files of this unit's servers, as text.

What can change while a server runs is set by the leader; the files hold it only until then.
Everything else is compared as a digest: if it differs from what a server was started with, the
server has to restart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from valkey_client.messages import PRIMARY_NAME

from . import accounts, databases, internal_accounts
from .accounts import Version
from .epochs import PrimaryClaim, majority
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

MAX_LAG = "3"
"""Seconds of silence after which a replica no longer counts for ``min-replicas-to-write``."""

_LEARNED = tuple(
    f"sentinel {keyword} "
    for keyword in (
        *("myid", "config-epoch", "leader-epoch", "current-epoch", "known-replica"),
        "known-sentinel",
    )
)
"""What a Sentinel writes into its file and needs there when it restarts."""


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
            # The server's default. It lowers it itself where it may open fewer files.
            "maxclients 10000",
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
        own_line = f"sentinel known-replica {name} {primary} {PORT}"
        lines = [
            f"sentinel monitor {name} {primary} {PORT} {majority(units)}",
            f"sentinel down-after-milliseconds {name} {settings.down_after * 1000}",
            f"sentinel failover-timeout {name} {settings.failover_timeout * 1000}",
            *self.fixed_sentinel(),
            *tls,
            *(ln for ln in old.splitlines() if ln.startswith(_LEARNED) and ln != own_line),
        ]
        return "\n".join(lines) + "\n"

    def fixed_server(self) -> Iterable[str]:
        """The lines of the server that cannot change while it runs."""
        yield f"bind {self.address}"
        yield f"bind-source-addr {self.address}"
        yield f"port {PORT}"
        yield f'aclfile "{self.directory}/{SERVER_ACCOUNTS}"'
        yield "protected-mode no"
        # Without an append-only file a primary that restarts quickly is empty, and its replicas
        # then sync to nothing.
        yield "appendonly yes"
        yield "aof-timestamp-enabled yes"
        yield 'save ""'
        yield "repl-diskless-sync-delay 0"
        # Sentinel registers the address that a replica announces, else its source address.
        yield f"replica-announce-ip {self.address}"
        yield f"replica-announce-port {PORT}"
        yield f"masteruser {internal_accounts.REPLICATION}"
        yield f"masterauth {self.passwords.replication}"
        yield f"io-threads {self.settings.io_threads}"
        if self.version >= accounts.DATABASE_ACL:
            yield f"databases {databases.COUNT}"

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


def recorded_primary(text: str) -> PrimaryClaim:
    """The primary that a Sentinel knew when it last wrote its file."""
    address, epoch = "", 0
    for fields in map(str.split, text.splitlines()):
        match fields:
            case ["sentinel", "monitor", name, address, *_] if name == PRIMARY_NAME:
                continue
            case ["sentinel", "config-epoch", name, number] if name == PRIMARY_NAME:
                epoch = int(number)
            case _:
                continue
    return PrimaryClaim(address, epoch)


def min_replicas(units: int) -> int:
    """The value of ``min-replicas-to-write``: replicas that a primary needs to accept writes.

    With two units, the loss of the only replica would stop all writes.
    """
    return 1 if units >= 3 else 0
