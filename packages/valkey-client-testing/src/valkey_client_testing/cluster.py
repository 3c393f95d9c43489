"""A primary, replicas and Sentinels on loopback ports, which a test can kill and freeze."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import valkey

from valkey_client import Access, Endpoint, Topology
from valkey_client.messages import PRIMARY_NAME

from ._binaries import Binary

DEADLINE = 60.0
"""Seconds that a condition may take on a busy machine."""

_PORTS = (10_000, 32_000)

_SERVER_RULE = ("~*", "&*", "+@all", "-@admin", "-@dangerous", "+info", "+role")
_SENTINEL_RULE = (
    *("&*", "-@all", "+ping", "+auth", "+hello", "+role", "+info", "+client|setinfo"),
    *("+sentinel|masters", "+sentinel|slaves", "+sentinel|get-master-addr-by-name"),
)


class Process:
    """One server or Sentinel.

    Attributes:
        endpoint: Where it listens.
    """

    def __init__(self, binary: Binary, folder: Path, *lines: str, sentinel: bool = False):
        port = free_port()
        self.endpoint = Endpoint("127.0.0.1", port)
        home = folder / str(port)
        home.mkdir()
        conf = home / "valkey.conf"
        common = (f"port {port}", "bind 127.0.0.1", f"dir {home}", f"logfile {home}/log")
        conf.write_text("\n".join((*common, *lines)) + "\n")
        self._command = [str(binary.path), str(conf), *(["--sentinel"] if sentinel else [])]
        login: dict[str, Any] = {} if sentinel else {"username": "admin", "password": "admin"}
        self.admin: Any = valkey.Valkey(port=port, decode_responses=True, **login)
        self.start()

    def start(self, *options: str) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen([*self._command, *options])
        wait_for(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.endpoint.host, self.endpoint.port)) == 0

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP: it still accepts connections, and answers nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """Kill it, in any state."""
        self.admin.close()
        self.kill()


class Cluster:
    """A primary, two replicas and three Sentinels, with one account for a client.

    Args:
        binary: The server to run.
        folder: A directory for files.
        down_after: Seconds without an answer after which a Sentinel takes a server for down; None
            for no failover. Then the Sentinels need not know each other.
    """

    def __init__(self, binary: Binary, folder: Path, *, down_after: float | None = 1.0):
        self._binary = binary
        self._folder = folder
        self._down_after = down_after
        self._access = Access("*", "app", secrets.token_hex(16), Topology())
        self.servers: list[Process] = []
        self.sentinels: list[Process] = []

    def __enter__(self) -> Self:
        try:
            first = self.add_server()
            self.add_server(first)
            self.add_server(first)
            wait_for(lambda: first.admin.info("replication")["connected_slaves"] == 2)
            # A Sentinel asks for replicas when it starts, and then only every 10 s.
            for _ in range(3):
                self.add_sentinel(first)
            if self._down_after is not None:
                # Sentinels find each other by the hello that each publishes every 2 s.
                self._set_hello_period(100)
                wait_for(lambda: all(map(self._is_ready, self.sentinels)))
                self._set_hello_period(2000)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill everything."""
        for process in (*self.sentinels, *self.servers):
            process.close()

    def _set_hello_period(self, milliseconds: int) -> None:
        for sentinel in self.sentinels:
            sentinel.admin.execute_command("SENTINEL DEBUG", "PUBLISH-PERIOD", milliseconds)

    def add_server(self, primary: Process | None = None) -> Process:
        """Start a server; a replica if ``primary`` is not None."""
        replicaof = [f"replicaof 127.0.0.1 {primary.endpoint.port}"] if primary else []
        server = Process(
            self._binary,
            self._folder,
            "appendonly yes",
            'save ""',
            "repl-diskless-sync-delay 0",
            "user admin on >admin ~* &* +@all",
            "user deaf on >deaf -@all +ping +info",
            # 8.0 loads transactions from an AOF with the rights of this user, off or not.
            "user default off ~* &* +@all",
            f"user {self._account(*_SERVER_RULE)}",
            "masteruser admin",
            "masterauth admin",
            *replicaof,
        )
        self.servers.append(server)
        return server

    def add_sentinel(self, primary: Process, *, deaf: bool = False) -> Process:
        """Start a Sentinel.

        Args:
            primary: The primary that it monitors.
            deaf: Whether to hide other Sentinels from it, so that it never learns of a failover.
        """
        name = PRIMARY_NAME
        user = "deaf" if deaf else "admin"
        sentinel = Process(
            self._binary,
            self._folder,
            f"sentinel monitor {name} 127.0.0.1 {primary.endpoint.port} 2",
            f"sentinel down-after-milliseconds {name} {int((self._down_after or 3600) * 1000)}",
            f"sentinel failover-timeout {name} 10000",
            f"sentinel auth-user {name} {user}",
            f"sentinel auth-pass {name} {user}",
            f"user {self._account(*_SENTINEL_RULE)}",
            sentinel=True,
        )
        self.sentinels.append(sentinel)
        return sentinel

    def _account(self, *rule: str) -> str:
        return " ".join((self._access.username, "on", f">{self._access.password}", *rule))

    @staticmethod
    def _is_ready(sentinel: Process) -> bool:
        state: dict[str, Any] = sentinel.admin.sentinel_master(PRIMARY_NAME)
        replicas = sentinel.admin.sentinel_slaves(PRIMARY_NAME)
        return state["num-other-sentinels"] == 2 and [
            replica["master-link-status"] for replica in replicas
        ] == ["ok", "ok"]

    @property
    def access(self) -> Access:
        """The client's account and the topology."""
        primary = self.primary
        return replace(
            self._access,
            topology=Topology(
                endpoints=(primary.endpoint,),
                read_only_endpoints=tuple(
                    server.endpoint for server in self.servers if server is not primary
                ),
                sentinel_endpoints=tuple(sentinel.endpoint for sentinel in self.sentinels),
            ),
        )

    @property
    def primary(self) -> Process:
        """The primary according to the first Sentinel that answers."""
        for sentinel in self.sentinels:
            with contextlib.suppress(valkey.ConnectionError):
                _, port = sentinel.admin.sentinel_get_master_addr_by_name(PRIMARY_NAME)
                return next(s for s in self.servers if s.endpoint.port == port)
        raise LookupError("no Sentinel answers")

    @property
    def replicas(self) -> list[Process]:
        """The other servers."""
        primary = self.primary
        return [server for server in self.servers if server is not primary]

    def change_password(self) -> None:
        """Change the password of the client's account everywhere, and close its connections."""
        self._access = replace(self._access, password=secrets.token_hex(16))
        for process in (*self.servers, *self.sentinels):
            change = ("resetpass", f">{self._access.password}")
            process.admin.execute_command("ACL", "SETUSER", self._access.username, *change)
            process.admin.execute_command("CLIENT", "KILL", "USER", self._access.username)

    def fail_over(self) -> tuple[Process, Process]:
        """Promote a replica. The old primary learns of it after about 11 s.

        Returns:
            The old and the new primary, once the last three Sentinels agree.
        """
        old = self.primary
        sentinels = self.sentinels[-3:]

        def ports() -> set[int]:
            return {s.admin.sentinel_master(PRIMARY_NAME)["port"] for s in sentinels}

        wait_for(lambda: _request_failover(sentinels[0]))
        wait_for(lambda: len(ports()) == 1 and old.endpoint.port not in ports())
        (port,) = ports()
        return old, next(s for s in self.servers if s.endpoint.port == port)


def _request_failover(sentinel: Process) -> bool:
    with contextlib.suppress(valkey.ResponseError):  # NOGOODSLAVE until it knows its replicas
        return bool(sentinel.admin.sentinel_failover(PRIMARY_NAME))
    return False


def free_port() -> int:
    """A loopback port on which nobody listens, and that stays free for a server.

    The kernel gives outgoing connections ports from a range of its own, by default 32768 and up; a
    server on one of those could not be started again while such a connection has its port.
    """
    choice = random.SystemRandom()
    while True:
        port = choice.randrange(*_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(condition: Callable[[], Any]) -> None:
    """Wait until a condition is true.

    Raises:
        TimeoutError: If it does not become true within :data:`DEADLINE`.
    """
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the condition was not true within {DEADLINE:.0f} s")
        time.sleep(0.01)
