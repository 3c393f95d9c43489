"""The conversation with every server and Sentinel of the application."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from valkey_client.messages import PRIMARY_NAME

from ..clock import Clock, until
from ..model.cluster_state import ClusterState, SentinelState, ServerState
from ..model.trust import PLAIN, Trust
from ..rules.accounts import CLIENT_PREFIX, Account, Version
from ..rules.accounts_digest import DIGEST_ACCOUNT_RULE, DIGEST_PREFIX
from ..rules.config_files import PORT, SENTINEL_PORT
from ..rules.epochs import PrimaryClaim
from .connection import (
    SHORT_TIMEOUT,
    TIMEOUT,
    Connection,
    NoLoginError,
    RefusedError,
    ServerError,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

_REDISCOVERY = 12.0
"""Seconds in which a Sentinel finds the others (2 s) and the replicas (10 s) again."""

_ELECTION = 5.0
"""Seconds that a server which starts leaves to Sentinels that are about to replace it."""


_SETTINGS = (
    *("min-replicas-*", "replica-priority", "notify-keyspace-events", "databases"),
    *("maxmemory", "maxmemory-policy", "maxmemory-clients", "client-output-buffer-limit"),
    *("busy-reply-threshold", "repl-backlog-size", "tls-port"),
)

_AT_ONCE = 100
"""Accounts that are set in one go; between two of them the server serves others."""


T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Generator[tuple[T, ...]]:
    """``itertools.batched``, which Python 3.12 brings."""
    iterator = iter(items)
    while batch := tuple(islice(iterator, size)):
        yield batch


class Cluster:
    """Connections to the servers, as the charm's own account, for the time of a hook.

    Args:
        password: Of the charm's account.
        trust: Whether servers speak TLS, and which CAs to trust.
        clock: What waiting is measured by.
    """

    def __init__(self, password: str, trust: Trust = PLAIN, clock: Clock = time):
        self._password = password
        self.trust = trust
        self.clock = clock
        self._silent = frozenset[str]()
        self._connections: dict[tuple[str, int], Connection] = {}

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def reconnect(self, address: str) -> None:
        """Use new connections for a unit whose servers were restarted."""
        for port in (PORT, SENTINEL_PORT):
            if connection := self._connections.pop((address, port), None):
                connection.close()

    def use_trust(self, trust: Trust) -> None:
        """Use this for new connections."""
        self.trust = trust

    def expect_silence(self, *addresses: str) -> None:
        """Use a short timeout for units that Sentinels take for down."""
        self._silent = frozenset(addresses)

    def server(self, address: str) -> Connection:
        """A connection to a server."""
        return self._connect(address, PORT)

    def sentinel(self, address: str) -> Connection:
        """A connection to a Sentinel."""
        return self._connect(address, SENTINEL_PORT)

    def _connect(self, address: str, port: int) -> Connection:
        key = (address, port)
        if key not in self._connections:
            timeout = SHORT_TIMEOUT if address in self._silent else TIMEOUT
            self._connections[key] = Connection(address, port, self._password, self.trust, timeout)
        return self._connections[key]

    def observe(self, addresses: Iterable[str]) -> ClusterState:
        """Ask every server and Sentinel in parallel: those that hang cost one timeout together."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        listed = list(addresses)
        with ThreadPoolExecutor(2 * len(listed) or 1) as pool:
            servers = [pool.submit(self.observe_server, address) for address in listed]
            sentinels = [pool.submit(self.observe_sentinel, address) for address in listed]
        idle = (
            address
            for address, future in zip(listed, sentinels, strict=True)
            if isinstance(error := future.exception(), RefusedError) and error.is_idle_sentinel
        )
        full = (
            address
            for address, future in zip(listed, servers, strict=True)
            if isinstance(error := future.exception(), NoLoginError) and error.is_full
        )
        return ClusterState(
            {server.address: server for server in _results(servers)},
            {sentinel.address: sentinel for sentinel in _results(sentinels)},
            len(listed),
            frozenset(idle),
            frozenset(full),
        )

    def observe_server(self, address: str) -> ServerState:
        """Ask one server.

        Raises:
            ServerError: If it does not answer.
        """
        info, names, config = self.server(address).ask_all(
            [
                ("INFO", "server", "replication", "persistence", "memory"),
                ("ACL USERS",),
                ("CONFIG GET", *_SETTINGS),
            ]
        )
        return ServerState(
            address=address,
            role=info["role"],
            primary=info.get("master_host", ""),
            in_sync=info["role"] == "master" or info.get("master_link_status") == "up",
            synced_bytes=_synced_bytes(info),
            cannot_write=info.get("aof_last_write_status") == "err",
            used_memory=int(info.get("used_memory", 0)),
            uptime=int(info["uptime_in_seconds"]),
            accounts=_client_accounts(names),
            accounts_digests=_accounts_digests(names),
            settings=config,
            version=_version(info.get("valkey_version") or info["redis_version"]),
            tls=config.get("tls-port", "0") != "0",
        )

    def observe_sentinel(self, address: str) -> SentinelState:
        """Ask one Sentinel.

        Raises:
            ServerError: If it does not answer.
        """
        fields, names, info = self.sentinel(address).ask_all(
            [("SENTINEL MASTER", PRIMARY_NAME), ("ACL USERS",), ("INFO", "sentinel")]
        )
        return SentinelState(
            address=address,
            primary=fields["ip"],
            epoch=int(fields["config-epoch"]),
            quorum=int(fields["quorum"]),
            down_after=int(fields["down-after-milliseconds"]),
            failover_timeout=int(fields["failover-timeout"]),
            others=int(fields["num-other-sentinels"]),
            replicas=int(fields["num-slaves"]),
            in_tilt=str(info.get("sentinel_tilt", "0")) == "1",
            accounts=_client_accounts(names),
            accounts_digests=_accounts_digests(names),
            tls=self.sentinel(address).is_tls,
        )

    def primary_claims(self, addresses: Iterable[str]) -> list[PrimaryClaim]:
        """The primaries that Sentinels name, without those that do not answer."""
        claims: list[PrimaryClaim] = []
        for address in addresses:
            with contextlib.suppress(ServerError, OSError):
                # While a failover ends, the first answer already names the primary whose epoch
                # the second one gives.
                current, fields = self.sentinel(address).ask_all(
                    [
                        ("SENTINEL GET-MASTER-ADDR-BY-NAME", PRIMARY_NAME),
                        ("SENTINEL MASTER", PRIMARY_NAME),
                    ]
                )
                is_down = "o_down" in fields["flags"]
                claims.append(PrimaryClaim(current[0], int(fields["config-epoch"]), is_down))
        return claims

    def settled_primary_claims(self, addresses: Sequence[str]) -> list[PrimaryClaim]:
        """The primaries that Sentinels name, once none takes its primary for down, or time is up.

        A server that starts while Sentinels elect another primary would be a second one.
        """
        claims: list[PrimaryClaim] = []

        def is_settled() -> bool:
            claims[:] = self.primary_claims(addresses)
            return not any(claim.is_down for claim in claims)

        until(is_settled, _ELECTION, interval=0.2, clock=self.clock)
        return claims

    def sentinels_known_to(self, address: str) -> list[str]:
        """The addresses of the other Sentinels that a unit's Sentinel knows.

        Raises:
            ServerError: If it does not answer.
        """
        known = self.sentinel(address).ask("SENTINEL SENTINELS", PRIMARY_NAME)
        return [fields["ip"] for fields in known]

    def replicas_of(self, address: str) -> list[str]:
        """The addresses of the replicas that are connected to a server; none to a replica's.

        Raises:
            ServerError: If it does not answer.
        """
        role, *rest = self.server(address).ask("ROLE")
        return [replica[0] for replica in rest[1]] if role == "master" else []

    def replication(self, address: str) -> tuple[str, int]:
        """The id of a server's replication stream, and its position in it.

        Raises:
            ServerError: If it does not answer.
        """
        fields = self.server(address).ask("INFO", "replication")
        offset = fields.get("slave_repl_offset", fields["master_repl_offset"])
        return str(fields["master_replid"]), int(offset)

    def used_memory(self, address: str) -> int:
        """The memory that a server uses, in bytes.

        Raises:
            ServerError: If it does not answer.
        """
        return int(self.server(address).ask("INFO", "memory")["used_memory"])

    def set_accounts(
        self, address: str, accounts: Iterable[Account], version: Version, *, on_sentinel: bool
    ) -> None:
        """Create or replace accounts on a server or Sentinel of that version.

        They last as long as the server runs; see :mod:`valkey_operator.rules.acl_file` for longer.
        """
        changes = [
            ("ACL SETUSER", account.name, "reset", *rule)
            for account in accounts
            for rule in [
                account.sentinel_rule(version) if on_sentinel else account.server_rule(version)
            ]
        ]
        connection = self.node(address, on_sentinel=on_sentinel)
        for chunk in batched(changes, _AT_ONCE):
            connection.ask_all(chunk)

    def drop_accounts(self, address: str, names: Sequence[str], *, on_sentinel: bool) -> None:
        """Delete accounts and close their connections."""
        connection = self.node(address, on_sentinel=on_sentinel)
        for chunk in batched(names, _AT_ONCE):
            connection.ask("ACL DELUSER", *chunk)

    def record_accounts_digest(
        self, address: str, digest: str, old: Sequence[str], *, on_sentinel: bool
    ) -> None:
        """Record which accounts a server or Sentinel was given."""
        changes: list[Sequence[str]] = [("ACL SETUSER", digest, *DIGEST_ACCOUNT_RULE)]
        if old:
            changes.append(("ACL DELUSER", *old))
        self.node(address, on_sentinel=on_sentinel).ask_all(changes)

    def node(self, address: str, *, on_sentinel: bool) -> Connection:
        """A connection to the Sentinel or the server of a unit."""
        return self.sentinel(address) if on_sentinel else self.server(address)

    def configure_server(self, address: str, name: str, value: str) -> None:
        """Change a setting of a server."""
        self.configure_server_at_once(address, {name: value})

    def configure_server_at_once(self, address: str, settings: Mapping[str, str]) -> None:
        """Change settings of a server that need each other."""
        arguments = [text for setting in settings.items() for text in setting]
        self.server(address).ask("CONFIG SET", *arguments)

    def switch_tls(self, address: str, *, on: bool) -> None:
        """Make a server speak TLS instead of plain on its port, or the other way round.

        Connections that exist stay as they are.
        """
        old, new = ("port", "tls-port") if on else ("tls-port", "port")
        # The port is taken until the first of them has left it.
        settings = {old: "0", new: str(PORT), "tls-replication": "yes" if on else "no"}
        self.configure_server_at_once(address, settings)
        self._connections.pop((address, PORT)).close()

    def reset_sentinel(self, address: str, sentinels: Iterable[str], others: int) -> None:
        """Make a Sentinel forget removed units, and wait until it has found the others again.

        Until then it cannot take part in a failover, so this is done to one at a time: if a hook
        died while one was reset, that one is waited for first.

        Args:
            address: The Sentinel.
            sentinels: All of them.
            others: How many others there are of each kind.

        Raises:
            ServerError: If it does not answer when it is its turn.
        """
        try:
            is_safe = all(self._await_others(one, others) for one in sentinels)
        except ServerError:
            return  # Nothing has changed; the next hook tries again.
        if is_safe:
            self.sentinel(address).ask("SENTINEL RESET", PRIMARY_NAME)
            self._await_others(address, others)

    def _await_others(self, address: str, others: int) -> bool:
        """Wait, for a bounded time, until a Sentinel knows so many others and replicas."""

        def knows_all() -> bool:
            sentinel = self.observe_sentinel(address)
            return sentinel.others >= others and sentinel.replicas >= others

        return until(knows_all, _REDISCOVERY, interval=0.25, clock=self.clock)

    def configure_sentinel(self, address: str, name: str, value: str) -> None:
        """Change a setting of a Sentinel; it writes its configuration itself."""
        self.sentinel(address).ask("SENTINEL SET", PRIMARY_NAME, name, value)


def _synced_bytes(info: Mapping[str, Any]) -> int | None:
    if str(info.get("master_sync_in_progress", "0")) != "1":
        return None
    return max(0, int(info.get("master_sync_read_bytes", 0)))


def _results(futures: Iterable[Future[T]]) -> Iterator[T]:
    """The answers, without those that did not answer."""
    for future in futures:
        with contextlib.suppress(ServerError, OSError):
            yield future.result()


def _client_accounts(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if name.startswith(CLIENT_PREFIX))


def _accounts_digests(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if name.startswith(DIGEST_PREFIX)))


@contextlib.contextmanager
def connected(password: str, trust: Trust = PLAIN) -> Generator[Cluster]:
    """Connections for the time of a ``with`` block."""
    cluster = Cluster(password, trust)
    try:
        yield cluster
    finally:
        cluster.close()


def _version(text: str) -> Version:
    numbers = [int(part) for part in text.split(".")[:3] if part.isdigit()]
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return major, minor, patch
