"""How the servers run on this unit: the part that depends on the substrate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from ..rules.append_only import DataFiles
from ..rules.disk import DiskUsage

Service = Literal["server", "sentinel"]


class WorkloadError(Exception):
    """The servers cannot run here; the message is for the unit's status and says what to do."""


class Workload(Protocol):
    """Two services, the server and the Sentinel, and their files."""

    @property
    def directory(self) -> Path:
        """The directory of the servers' configuration, as they see it."""
        ...

    @property
    def data_directory(self) -> Path:
        """The directory of the server's data, in the unit's storage."""
        ...

    def memory(self) -> int:
        """The memory of the machine or container, in bytes."""
        ...

    def version(self) -> tuple[int, int, int]:
        """The version of the installed server.

        Raises:
            WorkloadError: If no server is installed.
        """
        ...

    def read(self, name: str) -> str | None:
        """The text of a file in :attr:`directory`, None if there is none.

        Bytes that are not UTF-8 are replaced: such a file is damaged.

        Raises:
            WorkloadError: If there is one and it cannot be read.
        """
        ...

    def write(self, name: str, text: str, *, executable: bool = False) -> None:
        """Write a file in :attr:`directory` that only the servers can read, or run.

        Raises:
            WorkloadError: If that is impossible, as on a full disk; the old file is whole.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a file in :attr:`directory`. Safe if there is none."""
        ...

    def has_tls(self) -> bool:
        """Whether the server was built with TLS.

        Raises:
            WorkloadError: If no server is installed.
        """
        ...

    def dns_names(self) -> tuple[str, ...]:
        """The DNS names by which clients may connect to this unit."""
        ...

    def sentinel_script(self, address: str) -> str:
        """The script by which this unit's Sentinel notifies the charm.

        See :mod:`.sentinel_script`.

        Args:
            address: The address of the unit's server, as Sentinels know it.

        Raises:
            WorkloadError: If Juju cannot be reached from here.
        """
        ...

    def recheck_later(self, seconds: float) -> None:
        """Let this unit run the event ``recheck`` in so many seconds, after this hook has ended.

        It is lost if the machine or Juju's agent stops before; the next hook decides again then.

        Raises:
            WorkloadError: If Juju cannot be reached from here.
        """
        ...

    def cancel_recheck(self) -> None:
        """Forget :meth:`recheck_later`; safe if there is nothing to forget."""
        ...

    def is_recheck_pending(self) -> bool:
        """Whether :meth:`recheck_later` has still to run it."""
        ...

    def data_files(self) -> DataFiles:
        """What lies in the data directory, and what the server wrote when it ended.

        Files that cannot be read count as missing.
        """
        ...

    def write_data_record(self, text: str) -> None:
        """Replace the charm's record beside the data.

        Raises:
            WorkloadError: If the disk takes nothing more; the old record is whole.
        """
        ...

    def set_data_aside(self, needed: int) -> str:
        """Move the server's files aside, or delete them if fewer bytes than needed are free.

        Returns:
            What became of them, for the log.

        Raises:
            WorkloadError: If they cannot be moved.
        """
        ...

    def disk_usage(self, directory: Path) -> DiskUsage:
        """How full the disk of a data directory is; all zeros if that cannot be told."""
        ...

    def is_running(self, service: Service) -> bool:
        """Whether a service runs."""
        ...

    def start(self, service: Service, arguments: Sequence[str]) -> None:
        """Start a service, which outlives the hook.

        Args:
            service: Which.
            arguments: The arguments of ``valkey-server``.

        Raises:
            WorkloadError: If it does not start.
        """
        ...

    def last_log_line(self, service: Service) -> str:
        """The last line that a service has logged, at most 200 characters of it."""
        ...

    def stop(self, service: Service) -> None:
        """Stop a service and wait until it has ended. Safe if it does not run."""
        ...
