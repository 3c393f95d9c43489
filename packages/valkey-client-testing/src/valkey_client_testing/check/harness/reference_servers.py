"""The servers behind the reference provider: a primary, a replica and a Sentinel."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any, Self

from valkey_client import Topology
from valkey_client.messages import PRIMARY_NAME

from ..._binaries import Binary
from ...cluster import Process, wait_for

_OVERHEAD = frozenset(
    {
        *("ping", "info", "publish", "auth", "hello", "role", "replconf", "psync", "replicaof"),
        *("subscribe", "multi", "exec", "quit", "select", "slaveof", "monitor"),
    }
)
"""Commands that client libraries, replicas and Sentinels send by themselves."""

_CONFIG = (
    "user admin on >admin ~* &* +@all",
    "user default off",
    "masteruser admin",
    "masterauth admin",
    'save ""',
    "repl-diskless-sync-delay 0",
)


class ReferenceServers:
    """Real servers with one account, which the kit changes as a check needs it.

    Args:
        binary: The server to run.
        folder: A directory for its files.
    """

    def __init__(self, binary: Binary, folder: Path):
        self._binary = binary
        self._folder = folder
        self._processes: list[Process] = []
        self._is_switched = False

    def __enter__(self) -> Self:
        try:
            self._first = self._start(*_CONFIG)
            replicaof = f"replicaof 127.0.0.1 {self._first.endpoint.port}"
            self._second = self._start(*_CONFIG, replicaof)
            wait_for(lambda: self._first.admin.info("replication")["connected_slaves"] == 1)
            self._sentinel = self._start(sentinel=True)
            self._monitor_primary()
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
        """Kill all servers."""
        for process in self._processes:
            process.close()

    def _start(self, *lines: str, sentinel: bool = False) -> Process:
        process = Process(self._binary, self._folder, *lines, sentinel=sentinel)
        self._processes.append(process)
        return process

    @property
    def primary(self) -> Process:
        """The present primary."""
        return self._second if self._is_switched else self._first

    @property
    def replica(self) -> Process:
        """Its replica."""
        return self._first if self._is_switched else self._second

    @property
    def topology(self) -> Topology:
        """The topology as a provider publishes it."""
        version: str = self.primary.admin.info("server")["valkey_version"]
        return Topology(
            endpoints=(self.primary.endpoint,),
            read_only_endpoints=(self.replica.endpoint,),
            sentinel_endpoints=(self._sentinel.endpoint,),
            version=version,
        )

    def _monitor_primary(self) -> None:
        """Let the Sentinel monitor the present primary."""
        admin, endpoint = self._sentinel.admin, self.primary.endpoint
        admin.execute_command(
            "SENTINEL", "MONITOR", PRIMARY_NAME, endpoint.host, str(endpoint.port), "1"
        )
        for option in ("auth-user", "auth-pass"):
            admin.execute_command("SENTINEL", "SET", PRIMARY_NAME, option, "admin")
        # No failover of its own, however slow the machine is.
        admin.execute_command(
            "SENTINEL", "SET", PRIMARY_NAME, "down-after-milliseconds", "3600000"
        )

    def switch_over(self) -> None:
        """Swap primary and replica, and let the Sentinel monitor the new primary."""
        self._sentinel.admin.execute_command("SENTINEL", "REMOVE", PRIMARY_NAME)
        self.replica.admin.execute_command("REPLICAOF", "NO", "ONE")
        self._is_switched = not self._is_switched
        endpoint = self.primary.endpoint
        self.replica.admin.execute_command("REPLICAOF", endpoint.host, str(endpoint.port))
        self._monitor_primary()

    def set_account(self, username: str, password: str, prefix: str) -> None:
        """Create or replace the account, and close its connections."""
        patterns = ("~" + prefix, "&" + prefix)
        rules = {
            self._first: ("+@all", "-@admin", "-@dangerous", "+info", "+role", *patterns),
            self._second: ("+@all", "-@admin", "-@dangerous", "+info", "+role", *patterns),
            self._sentinel: ("+@all", "-@admin", "+sentinel", "&*"),
        }
        for process, rule in rules.items():
            head = ("ACL", "SETUSER", username, "reset", "on", f">{password}")
            process.admin.execute_command(*head, *rule)
            process.admin.execute_command("CLIENT", "KILL", "USER", username)

    def reset_command_counts(self) -> None:
        """Set the counters of both servers to zero."""
        for process in (self._first, self._second):
            process.admin.execute_command("CONFIG", "RESETSTAT")

    def command_counts(self) -> dict[str, int]:
        """How many commands of an application each server has executed, by endpoint.

        A replica's count includes the commands that its primary replicates.
        """
        return {
            str(process.endpoint): _count_commands(process.admin.info("commandstats"))
            for process in (self.primary, self.replica)
        }


def _count_commands(statistics: dict[str, Any]) -> int:
    commands = ((name.removeprefix("cmdstat_"), entry) for name, entry in statistics.items())
    return sum(
        int(entry["calls"])
        for name, entry in commands
        if name not in _OVERHEAD and name.partition("|")[0] not in {"client", "config", "acl"}
    )
