"""This unit's server and Sentinel: their start and stop, and their files."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from ..clock import Clock
from ..rules import config_files
from ..rules.accounts import CLIENT_PREFIX, Account
from ..rules.accounts_digest import DIGEST_ACCOUNT_RULE, accounts_digest
from ..rules.acl_file import account_rules, acl_file
from ..rules.append_only import Data, DataRecord, judge
from ..rules.config_files import MAX_CLIENTS, PORT, SENTINEL_PORT, Configuration
from ..rules.disk import disk_problem
from ..rules.epochs import PrimaryClaim
from ..rules.passwords import Passwords
from ..rules.sentinel_file import altered_settings, recorded_primary
from ..rules.settings import Settings
from ..tls.files import TlsFiles
from ..workload import Service, Workload, WorkloadError

logger = logging.getLogger(__name__)

_DISPLAY_NAMES = {"server": "server", "sentinel": "Sentinel"}

_STARTED_WITH = "started-with"
"""The file with the digest of the configuration that the servers were started with."""


@dataclass(frozen=True)
class Node:
    """The servers of this unit.

    Attributes:
        workload: Where they run.
        address: What they listen on and announce.
        clock: What waiting is measured by.
    """

    workload: Workload
    address: str
    clock: Clock = time

    def is_running(self) -> bool:
        """Whether both servers run."""
        return self.workload.is_running("server") and self.workload.is_running("sentinel")

    def data(self) -> Data:
        """What this unit's data directory holds."""
        return judge(self.workload.data_files())

    def set_data_aside(self, reason: str, needed: int) -> None:
        """Move damaged data out of the way of new ones.

        Args:
            reason: What is wrong with them.
            needed: Bytes that must stay free on the disk.
        """
        outcome = self.workload.set_data_aside(needed)
        logger.warning("the data of this unit are damaged: %s; they are %s", reason, outcome)

    @property
    def accepts_data_loss(self) -> bool:
        """Whether a person has accepted that data are missing at the next start."""
        return self.workload.read(config_files.ACCEPTED) is not None

    def accept_data_loss(self) -> None:
        """Let the next start go on without data that are missing."""
        logger.info("the next start of the server may go on without data that are missing")
        self.workload.write(config_files.ACCEPTED, "")

    def write_start_facts(self, facts: Mapping[str, object]) -> None:
        """Keep what the check before each start needs to know.

        Args:
            facts: As :mod:`.start_check` reads them, without the data directory: Juju is asked for
                that only if something else has changed.
        """
        known = self._start_facts()
        if known == {**facts, "data": known.get("data")}:
            return
        written = {**facts, "data": str(self.workload.data_directory)}
        self.workload.write(config_files.START_FACTS, json.dumps(written))

    def record_data(self, record: DataRecord) -> None:
        """Keep beside the data how new they are; a full disk keeps what it has."""
        files = self.workload.data_files()
        try:
            self.workload.write_data_record(replace(record, sizes=files.sizes).text())
        except WorkloadError as error:
            logger.warning("how new the data are is not recorded: %s", error)

    def recorded_primary(self) -> PrimaryClaim:
        """The primary that this unit's Sentinel knew when it last wrote its configuration."""
        return recorded_primary(self.workload.read(config_files.SENTINEL) or "")

    def config_digest(self, passwords: Passwords, settings: Settings) -> str:
        """A digest of the configuration that the servers should run with, alike on all units."""
        return self._configuration(passwords, settings).digest

    def running_config_digest(self) -> str:
        """The digest of the configuration that they were started with."""
        return self.workload.read(_STARTED_WITH) or ""

    def started_address(self) -> str:
        """The address that the servers were started with; empty if that is not known."""
        return str(self._start_facts().get("address", ""))

    def disk_problem(self) -> str:
        """Why the disk of the data is likely to be full soon; empty if it is not."""
        path = self._start_facts().get("data")
        return disk_problem(self.workload.disk_usage(Path(path))) if isinstance(path, str) else ""

    def _start_facts(self) -> Mapping[str, object]:
        try:
            facts: object = json.loads(self.workload.read(config_files.START_FACTS) or "{}")
        except ValueError:
            return {}  # It is damaged, and is replaced.
        return cast("dict[str, object]", facts) if isinstance(facts, dict) else {}

    def altered_sentinel_settings(self, passwords: Passwords, settings: Settings) -> list[str]:
        """The names of the settings of the running Sentinel that somebody has changed."""
        text = self.workload.read(config_files.SENTINEL) or ""
        return altered_settings(text, self._configuration(passwords, settings).fixed_sentinel())

    def kept_settings(self, passwords: Passwords, settings: Settings) -> Mapping[str, str]:
        """The settings that the server must have as long as it runs."""
        kept = self._configuration(passwords, settings).kept_settings()
        return {**kept, "maxclients": MAX_CLIENTS}

    def clients_in_file(self) -> frozenset[str]:
        """The client accounts that the server was told to have, or will have when it starts."""
        text = self.workload.read(config_files.SERVER_ACCOUNTS) or ""
        names = (line.split()[1] for line in text.splitlines() if len(line.split()) > 1)
        return frozenset(name for name in names if name.startswith(CLIENT_PREFIX))

    def start(
        self,
        primary: str,
        passwords: Passwords,
        clients: Iterable[Account],
        settings: Settings,
        *,
        units: int,
        tls: TlsFiles,
        with_server: bool = True,
    ) -> bool:
        """Start what does not run, with every account that must exist.

        A server never becomes primary from its own memory: it follows the primary that it is
        told. It can be promoted only after the leader has seen its accounts
        (``replica-priority``).

        Args:
            primary: The address of the current primary.
            passwords: Of the internal accounts.
            clients: The client accounts that must exist.
            settings: The charm's configuration.
            units: How many units there are.
            tls: The unit's certificates.
            with_server: Whether the server may start, beside the Sentinel.

        Returns:
            Whether anything was started.

        Raises:
            WorkloadError: If a server does not start.
        """
        self.keep_accounts(passwords, clients)
        configuration = self._configuration(passwords, settings)
        both_stopped = not any(map(self.workload.is_running, ("server", "sentinel")))
        has_started, failure = False, None
        if with_server and not self.workload.is_running("server"):
            role = "as the primary" if primary == self.address else f"as a replica of {primary}"
            logger.info("starting the server %s", role)
            text = configuration.server(
                self.workload.data_directory, primary, units, tls.config_lines(PORT)
            )
            self.workload.write(config_files.SERVER, text)
            try:
                self._launch("server", [config_files.SERVER])
            except WorkloadError as error:
                failure = error  # The other units need this Sentinel even more now.
            else:
                tls.record_start(["server"])
                has_started = True
                self.workload.remove(config_files.ACCEPTED)
        if not self.workload.is_running("sentinel"):
            logger.info("starting the Sentinel, which monitors primary %s", primary)
            self._keep_script()
            old = self.workload.read(config_files.SENTINEL) or ""
            make_file = partial(
                configuration.sentinel, primary, units, tls=tls.config_lines(SENTINEL_PORT)
            )
            self._start_sentinel(make_file(old), make_file(""))
            tls.record_start(["sentinel"])
            has_started = True
        if both_stopped:
            self.workload.write(_STARTED_WITH, configuration.digest)
        if failure:
            raise failure
        return has_started

    def keep_accounts(self, passwords: Passwords, clients: Iterable[Account]) -> bool:
        """Write the files from which the servers take their accounts when they start.

        They are compared as a whole: a person or a failing disk may have changed them.

        Returns:
            Whether a file had to change.
        """
        accounts = tuple(clients)
        version = self.workload.version()
        digest = accounts_digest(accounts, version)
        on_server, on_sentinel = account_rules(accounts, passwords.digests(), version)
        changed: list[str] = []
        repaired: list[str] = []
        for file, rules in (
            (config_files.SENTINEL_ACCOUNTS, on_sentinel),
            (config_files.SERVER_ACCOUNTS, on_server),
        ):
            old, text = self.workload.read(file), acl_file(rules | {digest: DIGEST_ACCOUNT_RULE})
            if old != text:
                self.workload.write(file, text)
                # The digest says that it was written for these accounts.
                (repaired if f"\nuser {digest} " in (old or "") else changed).append(file)
        if changed:
            logger.info("account files for the next start: %d clients", len(accounts))
        if repaired:
            logger.warning("%s: damaged or altered, written anew", ", ".join(repaired))
        return bool(changed or repaired)

    def keep_script(self) -> None:
        """Restore the script that a running Sentinel calls, if somebody has altered it."""
        if self.workload.is_running("sentinel"):
            self._keep_script()

    def _keep_script(self) -> None:
        script = self.workload.sentinel_script(self.address)
        if self.workload.read(config_files.SENTINEL_SCRIPT) != script:
            logger.info("writing %s, which Sentinel calls", config_files.SENTINEL_SCRIPT)
            self.workload.write(config_files.SENTINEL_SCRIPT, script, executable=True)

    def _start_sentinel(self, text: str, text_without_memory: str) -> None:
        """Start the Sentinel with what it knew, or without if it cannot start with that."""
        arguments = [config_files.SENTINEL, "--sentinel"]
        self.workload.write(config_files.SENTINEL, text)
        try:
            self._launch("sentinel", arguments)
        except WorkloadError as error:
            logger.warning("%s; trying without what it had learned", error)
            self.workload.write(config_files.SENTINEL, text_without_memory)
            try:
                self._launch("sentinel", arguments)
            except WorkloadError:
                self.workload.write(config_files.SENTINEL, text)  # That was not the reason.
                raise

    def stop(self, reason: str) -> None:
        """Stop both servers, the Sentinel first, so that it does not see its server die.

        Args:
            reason: For the log.
        """
        self.stop_service("sentinel", reason)
        self.stop_service("server", reason)

    def stop_service(self, service: Service, reason: str) -> None:
        """Stop one of them, if it runs.

        Args:
            service: Which.
            reason: For the log.
        """
        if self.workload.is_running(service):
            logger.info("stopping the %s: %s", _DISPLAY_NAMES[service], reason)
        self.workload.stop(service)

    def _launch(self, service: Service, arguments: list[str]) -> None:
        try:
            self.workload.start(service, arguments)
        except WorkloadError:
            # The port of a server that was killed a moment ago may still be taken.
            self.clock.sleep(0.5)
            self.workload.start(service, arguments)

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
