"""This unit's pair of servers: their start and stop."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from . import configuration, internal
from .accounts import Account
from .aclfile import acl_file
from .configuration import PORT, SENTINEL_PORT, Configuration, learned
from .marker import MARKER_RULE, marker
from .passwords import Passwords
from .primaries import Named
from .settings import Settings
from .tls.unit import UnitTls
from .workload import Service, Workload, WorkloadError

_STARTED_WITH = "started-with"
"""The file that holds the digest of what the servers were started with."""


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

    def known_primary(self) -> Named:
        """The primary that this unit's Sentinel knew when it last wrote its configuration."""
        return learned(self.workload.read(configuration.SENTINEL) or "")

    def wanted(self, passwords: Passwords, settings: Settings) -> str:
        """A digest of what the servers shall be started with, the same on all units."""
        return self._configuration(passwords, settings).digest

    def started_with(self) -> str:
        """The digest of what they were started with."""
        return self.workload.read(_STARTED_WITH) or ""

    def start(
        self,
        primary: str,
        passwords: Passwords,
        clients: Iterable[Account],
        settings: Settings,
        *,
        units: int,
        tls: UnitTls,
        serves: bool = True,
    ) -> bool:
        """Start what does not run, with every account that shall exist.

        A server never comes back as a primary by its own memory: it follows the primary that it
        is told. It can be promoted only after the leader has seen its accounts
        (``replica-priority``).

        Args:
            primary: The address of the current primary.
            passwords: Of the internal accounts.
            clients: The client accounts that shall exist.
            settings: The charm's configuration.
            units: How many units there are.
            tls: The unit's certificates.
            serves: Whether the server may start, beside the Sentinel.

        Returns:
            Whether anything was started.

        Raises:
            WorkloadError: If a server does not start.
        """
        self.keep_accounts(passwords, clients)
        wanted = self._configuration(passwords, settings)
        runs_none = not any(map(self.workload.is_running, ("server", "sentinel")))
        started, problem = False, None
        if serves and not self.workload.is_running("server"):
            text = wanted.server(self.workload.data, primary, units, tls.lines(PORT))
            self.workload.write(configuration.SERVER, text)
            try:
                self._launch("server", [configuration.SERVER])
            except WorkloadError as error:
                problem = error  # The others need the Sentinel, all the more now.
            else:
                tls.started(["server"])
                started = True
        if not self.workload.is_running("sentinel"):
            script = self.workload.wake_script(self.address)
            self.workload.write(configuration.WAKE, script, executable=True)
            old = self.workload.read(configuration.SENTINEL) or ""
            text = wanted.sentinel(primary, units, old, tls.lines(SENTINEL_PORT))
            self.workload.write(configuration.SENTINEL, text)
            self._launch("sentinel", [configuration.SENTINEL, "--sentinel"])
            tls.started(["sentinel"])
            started = True
        if runs_none:
            self.workload.write(_STARTED_WITH, wanted.digest)
        if problem:
            raise problem
        return started

    def keep_accounts(self, passwords: Passwords, clients: Iterable[Account]) -> bool:
        """Write the files from which the servers take their accounts when they start.

        Returns:
            Whether they said something else before.
        """
        listed = tuple(clients)
        version = self.workload.version()
        note = marker(listed, version)
        text = self.workload.read(configuration.SERVER_ACCOUNTS) or ""
        if f"\nuser {note} " in text and self.workload.read(configuration.SENTINEL_ACCOUNTS):
            return False
        digests = passwords.digests()
        common = {note: MARKER_RULE}
        on_sentinel = internal.internal_sentinel_rules(digests, version) | common
        on_sentinel |= {account.name: account.sentinel_rule(version) for account in listed}
        on_server = internal.internal_server_rules(digests) | common
        on_server |= {account.name: account.server_rule(version) for account in listed}
        # The server's file last: it is the one that tells whether both are up to date.
        self.workload.write(configuration.SENTINEL_ACCOUNTS, acl_file(on_sentinel))
        self.workload.write(configuration.SERVER_ACCOUNTS, acl_file(on_server))
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

    def _configuration(self, passwords: Passwords, settings: Settings) -> Configuration:
        workload = self.workload
        return Configuration(
            address=self.address,
            directory=workload.directory,
            version=workload.version(),
            memory=workload.memory(),
            passwords=passwords,
            settings=settings,
        )
