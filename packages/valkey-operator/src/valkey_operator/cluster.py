"""The conversation with every server and Sentinel of the application."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from valkey_client.messages import PRIMARY_NAME

from .accounts import CLIENT_PREFIX, Account, Version
from .configuration import PORT, SENTINEL_PORT
from .connection import IMPATIENT, TIMEOUT, Connection, ServerError
from .marker import MARKER_PREFIX, MARKER_RULE
from .observed import ClusterFacts, SentinelFacts, ServerFacts
from .primaries import Named
from .trust import PLAIN, Trust

if TYPE_CHECKING:
    from concurrent.futures import Future

_REDISCOVERY = 12.0
"""Seconds in which a Sentinel finds the others (2 s) and the replicas (10 s) again."""

_ELECTION = 5.0
"""Seconds that a server which starts leaves to Sentinels that are about to replace it."""


_SETTINGS = (
    *("min-replicas-*", "replica-priority", "notify-keyspace-events", "databases"),
    *("maxmemory", "maxmemory-policy", "maxmemory-clients", "client-output-buffer-limit"),
    *("busy-reply-threshold", "tls-port"),
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
    """Connections to the servers, as the charm's own account, for the time of a hook."""

    def __init__(self, password: str, trust: Trust = PLAIN):
        self._password = password
        self._trust = trust
        self._doubted = frozenset[str]()
        self._connections: dict[tuple[str, int], Connection] = {}

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def forget(self, address: str) -> None:
        """Connect anew to a unit whose servers were started."""
        for port in (PORT, SENTINEL_PORT):
            if connection := self._connections.pop((address, port), None):
                connection.close()

    def expect(self, trust: Trust) -> None:
        """What new connections begin with from now on."""
        self._trust = trust

    def doubt(self, *addresses: str) -> None:
        """Have little patience with units that are said to be away."""
        self._doubted = frozenset(addresses)

    def server(self, address: str) -> Connection:
        """A connection to a server."""
        return self._connect(address, PORT)

    def sentinel(self, address: str) -> Connection:
        """A connection to a Sentinel."""
        return self._connect(address, SENTINEL_PORT)

    def _connect(self, address: str, port: int) -> Connection:
        key = (address, port)
        if key not in self._connections:
            timeout = IMPATIENT if address in self._doubted else TIMEOUT
            self._connections[key] = Connection(
                address, port, self._password, self._trust, timeout
            )
        return self._connections[key]

    def observe(self, addresses: Iterable[str]) -> ClusterFacts:
        """Ask every server and Sentinel, all at once: one that hangs costs its timeout once."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        listed = list(addresses)
        with ThreadPoolExecutor(2 * len(listed) or 1) as pool:
            servers = [pool.submit(self.observe_server, address) for address in listed]
            sentinels = [pool.submit(self.observe_sentinel, address) for address in listed]
        return ClusterFacts(
            {found.address: found for found in _answered(servers)},
            {found.address: found for found in _answered(sentinels)},
            len(listed),
        )

    def observe_server(self, address: str) -> ServerFacts:
        """Ask one server.

        Raises:
            ServerError: If it does not answer.
        """
        info, names, config = self.server(address).ask_all(
            [
                ("INFO", "server", "replication"),
                ("ACL USERS",),
                ("CONFIG GET", *_SETTINGS),
            ]
        )
        return ServerFacts(
            address=address,
            role=info["role"],
            primary=info.get("master_host", ""),
            in_sync=info["role"] == "master" or info.get("master_link_status") == "up",
            accounts=_of_clients(names),
            markers=_markers(names),
            settings=config,
            version=_version(info.get("valkey_version") or info["redis_version"]),
            tls=config.get("tls-port", "0") != "0",
        )

    def observe_sentinel(self, address: str) -> SentinelFacts:
        """Ask one Sentinel.

        Raises:
            ServerError: If it does not answer.
        """
        said, names = self.sentinel(address).ask_all(
            [("SENTINEL MASTER", PRIMARY_NAME), ("ACL USERS",)]
        )
        return SentinelFacts(
            address=address,
            primary=said["ip"],
            epoch=int(said["config-epoch"]),
            quorum=int(said["quorum"]),
            down_after=int(said["down-after-milliseconds"]),
            failover_timeout=int(said["failover-timeout"]),
            others=int(said["num-other-sentinels"]),
            replicas=int(said["num-slaves"]),
            accounts=_of_clients(names),
            markers=_markers(names),
            tls=self.sentinel(address).is_tls,
        )

    def named_primaries(self, addresses: Iterable[str]) -> list[Named]:
        """Whom Sentinels name, without those that do not answer."""
        found: list[Named] = []
        for address in addresses:
            with contextlib.suppress(ServerError, OSError):
                # While a failover ends, only the first tells what the second has an epoch for.
                current, said = self.sentinel(address).ask_all(
                    [
                        ("SENTINEL GET-MASTER-ADDR-BY-NAME", PRIMARY_NAME),
                        ("SENTINEL MASTER", PRIMARY_NAME),
                    ]
                )
                is_down = "o_down" in said["flags"]
                found.append(Named(current[0], int(said["config-epoch"]), is_down))
        return found

    def settled_primaries(self, addresses: Sequence[str]) -> list[Named]:
        """Whom Sentinels name, once none of them takes the primary for down, or time is up.

        A server that comes back while Sentinels agree on another primary would be a second one.
        """
        deadline = time.monotonic() + _ELECTION
        while True:
            found = self.named_primaries(addresses)
            if not any(one.is_down for one in found) or time.monotonic() > deadline:
                return found
            time.sleep(0.2)

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

    def set_accounts(
        self, address: str, accounts: Iterable[Account], version: Version, *, on_sentinel: bool
    ) -> None:
        """Create or replace accounts on a server or Sentinel of that version.

        They last as long as the server runs; see :mod:`valkey_operator.aclfile` for longer.
        """
        changes = [
            ("ACL SETUSER", account.name, "reset", *rule)
            for account in accounts
            for rule in [
                account.sentinel_rule(version) if on_sentinel else account.server_rule(version)
            ]
        ]
        connection = self._node(address, on_sentinel=on_sentinel)
        for chunk in batched(changes, _AT_ONCE):
            connection.ask_all(chunk)

    def drop_accounts(self, address: str, names: Sequence[str], *, on_sentinel: bool) -> None:
        """Delete accounts and close their connections."""
        connection = self._node(address, on_sentinel=on_sentinel)
        for chunk in batched(names, _AT_ONCE):
            connection.ask("ACL DELUSER", *chunk)

    def mark_accounts(
        self, address: str, marker: str, old: Sequence[str], *, on_sentinel: bool
    ) -> None:
        """Note which accounts a server or Sentinel was given."""
        changes: list[Sequence[str]] = [("ACL SETUSER", marker, *MARKER_RULE)]
        if old:
            changes.append(("ACL DELUSER", *old))
        self._node(address, on_sentinel=on_sentinel).ask_all(changes)

    def _node(self, address: str, *, on_sentinel: bool) -> Connection:
        return self.sentinel(address) if on_sentinel else self.server(address)

    def configure_server(self, address: str, name: str, value: str) -> None:
        """Change a setting of a server."""
        self.configure_server_at_once(address, {name: value})

    def configure_server_at_once(self, address: str, settings: Mapping[str, str]) -> None:
        """Change settings of a server that need each other."""
        words = [word for pair in settings.items() for word in pair]
        self.server(address).ask("CONFIG SET", *words)

    def switch_tls(self, address: str, *, on: bool) -> None:
        """Let a server speak TLS on its port and no plain, or the other way round.

        Connections that exist stay as they are.
        """
        old, new = ("port", "tls-port") if on else ("tls-port", "port")
        # The port is taken until the first of them has left it.
        settings = {old: "0", new: str(PORT), "tls-replication": "yes" if on else "no"}
        self.configure_server_at_once(address, settings)
        self._connections.pop((address, PORT)).close()

    def reset_sentinel(self, address: str, sentinels: Iterable[str], others: int) -> None:
        """Let a Sentinel forget who is gone, and wait until it has found again who is there.

        Until then it cannot take part in a failover, so this is done to one at a time: one that
        a hook has left like that when it died is waited for before.

        Args:
            address: The Sentinel.
            sentinels: All of them.
            others: How many others there are of each kind.

        Raises:
            ServerError: If it does not answer when it is its turn.
        """
        try:
            is_time = all(self._await_others(one, others) for one in sentinels)
        except ServerError:
            return  # It is no worse off than before; the next hook asks again.
        if is_time:
            self.sentinel(address).ask("SENTINEL RESET", PRIMARY_NAME)
            self._await_others(address, others)

    def _await_others(self, address: str, others: int) -> bool:
        """Wait, for a bounded time, until a Sentinel knows so many others and replicas."""
        deadline = time.monotonic() + _REDISCOVERY
        while time.monotonic() < deadline:
            found = self.observe_sentinel(address)
            if found.others >= others and found.replicas >= others:
                return True
            time.sleep(0.25)
        return False

    def configure_sentinel(self, address: str, name: str, value: str) -> None:
        """Change a setting of a Sentinel; it writes its configuration itself."""
        self.sentinel(address).ask("SENTINEL SET", PRIMARY_NAME, name, value)


def _answered(asked: Iterable[Future[T]]) -> Iterator[T]:
    """What was answered, without those that did not answer."""
    for future in asked:
        with contextlib.suppress(ServerError, OSError):
            yield future.result()


def _of_clients(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if name.startswith(CLIENT_PREFIX))


def _markers(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if name.startswith(MARKER_PREFIX)))


@contextlib.contextmanager
def connected(password: str, trust: Trust = PLAIN) -> Generator[Cluster]:
    """A cluster for the time of a ``with`` block."""
    cluster = Cluster(password, trust)
    try:
        yield cluster
    finally:
        cluster.close()


def _version(text: str) -> Version:
    numbers = [int(part) for part in text.split(".")[:3] if part.isdigit()]
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return major, minor, patch
