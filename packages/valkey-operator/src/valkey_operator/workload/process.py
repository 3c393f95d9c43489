"""The servers as plain processes, for localjuju.

They are found again by their number and the time at which they were started: a number alone could
mean any process later.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import Service, WorkloadError
from .sentinel_script import juju_exec_script

_STOP_SECONDS = 15.0
"""A server with a stuck replica takes 10 s to stop (``shutdown-timeout``)."""


class ProcessWorkload:
    """Runs ``valkey-server`` from the PATH.

    Args:
        directory: For configuration.
        find_data: Says where data goes; asked only when a server is started.
        unit: The name of this unit.
    """

    def __init__(self, directory: Path, find_data: Callable[[], Path], unit: str):
        self._directory = directory
        self._find_data = find_data
        self._unit = unit
        self._version: tuple[int, int, int] | None = None
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def data(self) -> Path:
        """See :class:`Workload`."""
        return self._find_data()

    @property
    def directory(self) -> Path:
        """See :class:`Workload`."""
        return self._directory

    def memory(self) -> int:
        """See :class:`Workload`."""
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def version(self) -> tuple[int, int, int]:
        """See :class:`Workload`."""
        if self._version is None:
            self._version = self._ask_version()
        return self._version

    def _ask_version(self) -> tuple[int, int, int]:
        said = subprocess.run(
            [self._binary(), "--version"], capture_output=True, text=True, check=False
        ).stdout
        found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", said)
        if not found:
            raise WorkloadError(f"valkey-server does not tell its version: {said.strip()[:80]}")
        major, minor, patch = map(int, found.groups())
        return major, minor, patch

    @staticmethod
    def _binary() -> str:
        found = shutil.which("valkey-server")
        if not found:
            raise WorkloadError("valkey-server is not on the PATH; install Valkey 7.2 or later")
        return found

    def read(self, name: str) -> str | None:
        """See :class:`Workload`."""
        try:
            return (self._directory / name).read_text()
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str, *, executable: bool = False) -> None:
        """See :class:`Workload`."""
        path = self._directory / name
        fresh = path.with_suffix(f"{path.suffix}.new")
        fresh.touch(mode=0o600)
        fresh.write_text(text)
        if executable:
            fresh.chmod(0o700)
        fresh.replace(path)

    def remove(self, name: str) -> None:
        """See :class:`Workload`."""
        (self._directory / name).unlink(missing_ok=True)

    def has_tls(self) -> bool:
        """See :class:`Workload`."""
        # Both kinds know the options and end at once; one with TLS misses the certificate.
        options = ("--port", "0", "--tls-port", "1", "--tls-cert-file", "/nonexistent")
        said = subprocess.run(
            [self._binary(), *options], capture_output=True, text=True, check=False, timeout=10
        )
        return "Failed to configure TLS" in said.stdout + said.stderr

    def names(self) -> tuple[str, ...]:
        """See :class:`Workload`."""
        return ()

    def sentinel_script(self, address: str) -> str:
        """See :class:`Workload`."""
        juju_exec = shutil.which("juju-exec")
        if not juju_exec:
            raise WorkloadError("juju-exec is not on the PATH; use a Juju that has it")
        return juju_exec_script(juju_exec, self._unit, address)

    def is_running(self, service: Service) -> bool:
        """See :class:`Workload`."""
        return self._pid(service) is not None

    def start(self, service: Service, arguments: Sequence[str]) -> None:
        """See :class:`Workload`."""
        with self._log(service).open("ab") as output:
            process = subprocess.Popen(
                [self._binary(), *arguments],
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                # Sentinel writes its file anew, with its passwords, as readable as this allows.
                umask=0o077,
            )
        self.write(f"{service}.pid", f"{process.pid} {_started(process.pid)}")
        time.sleep(0.05)
        if process.poll() is not None:
            raise WorkloadError(f"{service} does not start: {self.last_words(service)}")
        process.returncode = 0  # it outlives this hook and is not waited for

    def last_words(self, service: Service) -> str:
        """See :class:`Workload`."""
        log = self._log(service)
        text = log.read_text(errors="replace") if log.exists() else ""
        return text.strip().rpartition("\n")[2][-200:]

    def _log(self, service: Service) -> Path:
        return self._directory / f"{service}.log"

    def stop(self, service: Service) -> None:
        """See :class:`Workload`."""
        pid = self._pid(service)
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while self._pid(service) == pid:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    def _pid(self, service: Service) -> int | None:
        """The process of a service, if it still is one."""
        pid, _, started = (self.read(f"{service}.pid") or "").partition(" ")
        return int(pid) if pid.isdigit() and started and _started(int(pid)) == started else None


def _started(pid: int) -> str:
    """When a process was started, in ticks since boot; empty for none and for a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
