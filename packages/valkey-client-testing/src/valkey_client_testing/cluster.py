"""Servers and Sentinels of one primary on loopback ports, to be killed and frozen at will."""

from __future__ import annotations

import contextlib
import os
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

from .binaries import Binary

DEADLINE = 60.0
"""Seconds that anything may take on a busy machine."""

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
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
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
        """SIGSTOP: it accepts connections still, and answers nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """Kill it, whatever state it is in."""
        self.admin.close()
        self.kill()


class Cluster:
    """A primary, two replicas and three Sentinels, with one account for a client.

    Args:
        binary: What to run.
        folder: Where to put files.
        down_after: Seconds until Sentinels take a silent server for dead; None if they are not to
            fail over in a test's time, and need not know each other.
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
            # A Sentinel asks for replicas when it starts, and then every 10 s only.
            for _ in range(3):
                self.add_sentinel(first)
            if self._down_after is not None:
                # They say hello every 2 s, which is how they find each other.
                self._say_hello_every(100)
                wait_for(lambda: all(map(self._is_settled, self.sentinels)))
                self._say_hello_every(2000)
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

    def _say_hello_every(self, milliseconds: int) -> None:
        for sentinel in self.sentinels:
            sentinel.admin.execute_command("SENTINEL DEBUG", "PUBLISH-PERIOD", milliseconds)

    def add_server(self, primary: Process | None = None) -> Process:
        """Start a server; a replica if it gets a primary."""
        following = [f"replicaof 127.0.0.1 {primary.endpoint.port}"] if primary else []
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
            *following,
        )
        self.servers.append(server)
        return server

    def add_sentinel(self, primary: Process, *, deaf: bool = False) -> Process:
        """Start a Sentinel.

        Args:
            primary: Whom it takes for the primary.
            deaf: It never hears of other Sentinels, so that it never learns of a failover.
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
    def _is_settled(sentinel: Process) -> bool:
        state: dict[str, Any] = sentinel.admin.sentinel_master(PRIMARY_NAME)
        replicas = sentinel.admin.sentinel_slaves(PRIMARY_NAME)
        return state["num-other-sentinels"] == 2 and [
            replica["master-link-status"] for replica in replicas
        ] == ["ok", "ok"]

    @property
    def access(self) -> Access:
        """The client's account, and where everything is."""
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
        """Whom the first Sentinel that answers names."""
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
        """Give the client's account another password everywhere, and close its connections."""
        self._access = replace(self._access, password=secrets.token_hex(16))
        for process in (*self.servers, *self.sentinels):
            change = ("resetpass", f">{self._access.password}")
            process.admin.execute_command("ACL", "SETUSER", self._access.username, *change)
            process.admin.execute_command("CLIENT", "KILL", "USER", self._access.username)

    def fail_over(self) -> tuple[Process, Process]:
        """Promote a replica without a word to the primary, which goes on for about 11 s.

        Returns:
            The old primary and the new one, when all Sentinels that hear each other agree.
        """
        old = self.primary
        hearing = self.sentinels[-3:]
        wait_for(lambda: _ask_for_failover(hearing[0]))
        wait_for(
            lambda: (
                len(
                    {
                        found := sentinel.admin.sentinel_master(PRIMARY_NAME)["port"]
                        for sentinel in hearing
                    }
                )
                == 1
                and found != old.endpoint.port
            )
        )
        port = hearing[0].admin.sentinel_master(PRIMARY_NAME)["port"]
        return old, next(s for s in self.servers if s.endpoint.port == port)


def _ask_for_failover(sentinel: Process) -> bool:
    with contextlib.suppress(valkey.ResponseError):  # NOGOODSLAVE, until it knows its replicas
        return bool(sentinel.admin.sentinel_failover(PRIMARY_NAME))
    return False


def wait_for(condition: Callable[[], Any]) -> None:
    """Wait until something is true.

    Raises:
        TimeoutError: If it does not become true within :data:`DEADLINE`.
    """
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come true")
        time.sleep(0.01)
