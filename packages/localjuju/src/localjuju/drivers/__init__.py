"""The ways to run a hook, which sees and changes the same in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from ..environment import Environment

DriverName = Literal["warm", "process"]


@dataclass(frozen=True)
class Run:
    """One hook to run.

    Attributes:
        app: The application; in the warm driver its units share an interpreter, and so do
            applications of one charm.
        charm_dir: The unit's charm directory, which is also the working directory.
        environment: The charm's Python.
        entry_point: The charm's script, relative to :attr:`charm_dir`.
        variables: The environment variables of the hook.
        log: The file that its output goes to.
        timeout: Seconds after which it is killed.
        command: What to run instead of the charm; only the process driver can.
        errors: The file that standard error goes to, if not to :attr:`log`.
    """

    app: str
    charm_dir: Path
    environment: Environment
    entry_point: str
    variables: Mapping[str, str]
    log: Path
    timeout: float
    command: Sequence[str] = ("./dispatch",)
    errors: Path | None = None


class Driver(Protocol):
    """Runs hooks."""

    def run(self, run: Run) -> int:
        """Run a hook and return its exit code; -9 if it took too long."""
        ...

    def forget(self, app: str) -> None:
        """Drop what is kept for an application, because its code has changed or it is gone."""
        ...
