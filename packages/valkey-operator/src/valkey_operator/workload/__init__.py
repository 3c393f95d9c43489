"""How the servers run on this unit; everything above is the same wherever that is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

Service = Literal["server", "sentinel"]


class WorkloadError(Exception):
    """The servers cannot be run here; the message says what a person has to do."""


class Workload(Protocol):
    """A place with two services and some files."""

    @property
    def directory(self) -> Path:
        """Where the servers keep their configuration, as they see it."""
        ...

    @property
    def data(self) -> Path:
        """Where the server keeps its data; outlives the unit if the storage does."""
        ...

    def memory(self) -> int:
        """The memory of the machine or container, in bytes."""
        ...

    def version(self) -> tuple[int, int, int]:
        """The version of the server that is installed.

        Raises:
            WorkloadError: If there is none.
        """
        ...

    def read(self, name: str) -> str | None:
        """The text of a file in :attr:`directory`, None if there is none."""
        ...

    def write(self, name: str, text: str, *, executable: bool = False) -> None:
        """Write a file in :attr:`directory` that only the servers can read, or run."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file in :attr:`directory`. Safe if there is none."""
        ...

    def has_tls(self) -> bool:
        """Whether the server was built with TLS.

        Raises:
            WorkloadError: If there is none.
        """
        ...

    def names(self) -> tuple[str, ...]:
        """The DNS names by which clients may know this unit."""
        ...

    def sentinel_script(self, address: str) -> str:
        """The script by which this unit's Sentinel wakes the charm; see :mod:`.wake`.

        Args:
            address: What the unit's server is known by to Sentinels.

        Raises:
            WorkloadError: If Juju cannot be reached from here.
        """
        ...

    def is_running(self, service: Service) -> bool:
        """Whether a service runs."""
        ...

    def start(self, service: Service, arguments: Sequence[str]) -> None:
        """Start a service; it goes on when the hook ends.

        Args:
            service: Which.
            arguments: Of ``valkey-server``.

        Raises:
            WorkloadError: If it does not start.
        """
        ...

    def last_words(self, service: Service) -> str:
        """The last line that a service has written, at most 200 characters of it."""
        ...

    def stop(self, service: Service) -> None:
        """Stop a service and wait until it has ended. Safe if it does not run."""
        ...
