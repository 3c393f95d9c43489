"""The servers behind the reference provider: two that change places, and a Sentinel."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any, Self

from valkey_client import Topology
from valkey_client.messages import PRIMARY_NAME

from ..binaries import Binary
from ..cluster import Process, wait_for

_OVERHEAD = frozenset(
    {
        *("ping", "info", "publish", "auth", "hello", "role", "replconf", "psync", "replicaof"),
        *("subscribe", "multi", "exec", "quit", "select", "slaveof", "monitor"),
    }
)
"""What clients, replicas and Sentinels send by themselves."""

_LINES = (
    "user admin on >admin ~* &* +@all",
    "user default off",
    "masteruser admin",
    "masterauth admin",
    'save ""',
    "repl-diskless-sync-delay 0",
)


class Counterpart:
    """Real servers with one account, which the kit changes as it needs.

    Args:
        binary: What to run.
        folder: Where to put files.
    """

    def __init__(self, binary: Binary, folder: Path):
        self._binary = binary
        self._folder = folder
        self._running: list[Process] = []
        self._moved = False

    def __enter__(self) -> Self:
        try:
            self._one = self._start(*_LINES)
            following = f"replicaof 127.0.0.1 {self._one.endpoint.port}"
            self._two = self._start(*_LINES, following)
            wait_for(lambda: self._one.admin.info("replication")["connected_slaves"] == 1)
            self._sentinel = self._start(sentinel=True)
            self._watch()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all servers."""
        for process in self._running:
            process.close()

    def _start(self, *lines: str, sentinel: bool = False) -> Process:
        process = Process(self._binary, self._folder, *lines, sentinel=sentinel)
        self._running.append(process)
        return process

    @property
    def primary(self) -> Process:
        """The server that takes writes."""
        return self._two if self._moved else self._one

    @property
    def replica(self) -> Process:
        """The other one."""
        return self._one if self._moved else self._two

    @property
    def topology(self) -> Topology:
        """What a provider would publish."""
        version: str = self.primary.admin.info("server")["valkey_version"]
        return Topology(
            endpoints=(self.primary.endpoint,),
            read_only_endpoints=(self.replica.endpoint,),
            sentinel_endpoints=(self._sentinel.endpoint,),
            version=version,
        )

    def _watch(self) -> None:
        """Let the Sentinel watch the present primary."""
        admin, where = self._sentinel.admin, self.primary.endpoint
        admin.execute_command(
            "SENTINEL", "MONITOR", PRIMARY_NAME, where.host, str(where.port), "1"
        )
        for option in ("auth-user", "auth-pass"):
            admin.execute_command("SENTINEL", "SET", PRIMARY_NAME, option, "admin")
        # It is the kit that moves the primary, however slow the machine is.
        admin.execute_command(
            "SENTINEL", "SET", PRIMARY_NAME, "down-after-milliseconds", "3600000"
        )

    def move(self) -> None:
        """Make the replica the primary, and the Sentinel say so."""
        self._sentinel.admin.execute_command("SENTINEL", "REMOVE", PRIMARY_NAME)
        self.replica.admin.execute_command("REPLICAOF", "NO", "ONE")
        self._moved = not self._moved
        where = self.primary.endpoint
        self.replica.admin.execute_command("REPLICAOF", where.host, str(where.port))
        self._watch()

    def grant(self, username: str, password: str, prefix: str) -> None:
        """Make an account, or give it another password and end its connections."""
        keys = ("~" + prefix, "&" + prefix)
        rules = {
            self._one: ("+@all", "-@admin", "-@dangerous", "+info", "+role", *keys),
            self._two: ("+@all", "-@admin", "-@dangerous", "+info", "+role", *keys),
            self._sentinel: ("+@all", "-@admin", "+sentinel", "&*"),
        }
        for process, rule in rules.items():
            head = ("ACL", "SETUSER", username, "reset", "on", f">{password}")
            process.admin.execute_command(*head, *rule)
            process.admin.execute_command("CLIENT", "KILL", "USER", username)

    def forget(self) -> None:
        """Begin to count anew."""
        for process in (self._one, self._two):
            process.admin.execute_command("CONFIG", "RESETSTAT")

    def served(self) -> dict[str, int]:
        """How many commands of an application each server has carried out since.

        Keyed by endpoint. The replica's share holds what its primary sends it.
        """
        return {
            str(process.endpoint): _calls(process.admin.info("commandstats"))
            for process in (self.primary, self.replica)
        }


def _calls(statistics: dict[str, Any]) -> int:
    found = ((name.removeprefix("cmdstat_"), entry) for name, entry in statistics.items())
    return sum(
        int(entry["calls"])
        for name, entry in found
        if name not in _OVERHEAD and name.partition("|")[0] not in {"client", "config", "acl"}
    )
