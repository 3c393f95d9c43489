"""The servers as plain processes, for localjuju.

They are identified by process id and start time: the id alone could be another process's later.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from ..clock import Clock, until
from ..rules.append_only import DataFiles
from ..rules.disk import DiskUsage
from . import Service, WorkloadError
from .data_directory import DataDirectory
from .sentinel_script import juju_exec_script, recheck_script

logger = logging.getLogger(__name__)

_VERSION = "version"
"""The file with what the executable said of its version."""

_RECHECK = "recheck.pid"

_PID_FILE = re.compile(r"[0-9]+ [0-9]+")
"""The id of a process and when it was started."""

_LOG_TAIL = 64 * 1024
"""Bytes of a log that are searched for the reason why a service ended."""

_LOG_START = "=== start"
"""The line with which the log of each start begins."""

_STOP_TIMEOUT = 15.0
"""A server with a stuck replica takes 10 s to stop (``shutdown-timeout``)."""

_STARTUP_SECONDS = 0.05
"""In which a server that cannot run, because of its configuration or port, has exited."""


class ProcessWorkload:
    """Runs ``valkey-server`` from the PATH.

    Args:
        directory: The directory for configuration.
        find_data_directory: Finds the directory for data; called only when a server starts.
        unit: The name of this unit.
        reason_to_refuse: Tells why a server with this configuration may not start now; empty if
            it may. Other supervisors run it as a program; see :mod:`..unit.start_check`.
        clock: What waiting is measured by.
    """

    def __init__(
        self,
        directory: Path,
        find_data_directory: Callable[[], Path],
        unit: str,
        reason_to_refuse: Callable[[Path], str],
        clock: Clock = time,
    ):
        self._directory = directory
        self._find_data_directory = find_data_directory
        self._clock = clock
        self._unit = unit
        self._reason_to_refuse = reason_to_refuse
        self._version: tuple[int, int, int] | None = None
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def data_directory(self) -> Path:
        """See :class:`Workload`."""
        return self._find_data_directory()

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
            self._version = self._read_version()
        return self._version

    def _read_version(self) -> tuple[int, int, int]:
        """Ask the executable once, and again when it has changed: that takes as long as a hook."""
        executable = self._executable()
        stat = Path(executable).stat()
        file = f"{executable} {stat.st_ino} {stat.st_size} {stat.st_mtime_ns}"
        known, _, output = (self.read(_VERSION) or "").partition("\n")
        if known != file:
            output = subprocess.run(
                [executable, "--version"], capture_output=True, text=True, check=False
            ).stdout
        match = re.search(r"v=(\d+)\.(\d+)\.(\d+)", output)
        if not match:
            raise WorkloadError(f"Unknown version of valkey-server: {output.strip()[:80]}")
        if known != file:
            self.write(_VERSION, f"{file}\n{output}")
        major, minor, patch = map(int, match.groups())
        return major, minor, patch

    @staticmethod
    def _executable() -> str:
        path = shutil.which("valkey-server")
        if not path:
            raise WorkloadError("valkey-server is not on the PATH; install Valkey 7.2 or later")
        return path

    def read(self, name: str) -> str | None:
        """See :class:`Workload`."""
        try:
            # What is not UTF-8 is damaged, and differs from whatever should be there.
            return (self._directory / name).read_text(errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._file_error(f"Cannot read {name}", error) from error

    def write(self, name: str, text: str, *, executable: bool = False) -> None:
        """See :class:`Workload`."""
        path = self._directory / name
        new = path.with_suffix(f"{path.suffix}.new")
        try:
            new.touch(mode=0o600)
            new.write_text(text)
            if executable:
                new.chmod(0o700)
            new.replace(path)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise self._file_error(f"Cannot write {name}", error) from error

    def _file_error(self, what: str, error: OSError) -> WorkloadError:
        return WorkloadError(
            f"{what} in {self._directory}: {error.strerror}; free space or repair it"
        )

    def remove(self, name: str) -> None:
        """See :class:`Workload`."""
        (self._directory / name).unlink(missing_ok=True)

    def has_tls(self) -> bool:
        """See :class:`Workload`."""
        # Each exits at once; one with TLS does so because the certificate does not exist.
        options = ("--port", "0", "--tls-port", "1", "--tls-cert-file", "/nonexistent")
        process = subprocess.run(
            [self._executable(), *options], capture_output=True, text=True, check=False, timeout=10
        )
        return "Failed to configure TLS" in process.stdout + process.stderr

    def dns_names(self) -> tuple[str, ...]:
        """See :class:`Workload`."""
        return ()

    def sentinel_script(self, address: str) -> str:
        """See :class:`Workload`."""
        juju_exec = shutil.which("juju-exec")
        if not juju_exec:
            raise WorkloadError("juju-exec is not on the PATH; use a Juju that has it")
        return juju_exec_script(juju_exec, self._unit, address)

    def recheck_later(self, seconds: float) -> None:
        """See :class:`Workload`."""
        juju_exec = shutil.which("juju-exec")
        if not juju_exec:
            raise WorkloadError("juju-exec is not on the PATH; use a Juju that has it")
        process = subprocess.Popen(
            ["/bin/sh", "-c", recheck_script(juju_exec, self._unit, seconds)],
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        process.returncode = 0  # It outlives this hook and is not waited for.
        self.write(_RECHECK, f"{process.pid} {_start_time(process.pid)}")

    def cancel_recheck(self) -> None:
        """See :class:`Workload`."""
        if pid := _recorded_process(self.read(_RECHECK)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGTERM)
        self.remove(_RECHECK)

    def is_recheck_pending(self) -> bool:
        """See :class:`Workload`."""
        return _recorded_process(self.read(_RECHECK)) is not None

    def data_files(self) -> DataFiles:
        """See :class:`Workload`."""
        log = self._log("server")
        directory = DataDirectory(self.data_directory)
        try:
            text = log.read_bytes()[-_LOG_TAIL:].decode(errors="replace")
            return directory.files(text.rpartition(_LOG_START)[2], log.stat().st_mtime)
        except OSError:
            return directory.files()

    def write_data_record(self, text: str) -> None:
        """See :class:`Workload`."""
        with _storage_errors():
            DataDirectory(self.data_directory).write_record(text)

    def set_data_aside(self, needed: int) -> str:
        """See :class:`Workload`."""
        with _storage_errors():
            return DataDirectory(self.data_directory).set_aside(needed)

    def disk_usage(self, directory: Path) -> DiskUsage:
        """See :class:`Workload`."""
        return DataDirectory(directory).disk_usage()

    def is_running(self, service: Service) -> bool:
        """See :class:`Workload`."""
        return self._pid(service) is not None

    def start(self, service: Service, arguments: Sequence[str]) -> None:
        """See :class:`Workload`."""
        if service == "server" and (reason := self._reason_to_refuse(self._directory)):
            raise WorkloadError(f"Valkey is not started: {reason}")
        executable = self._executable()
        try:
            process = self._spawn([executable, *arguments], self._log(service))
        except OSError as error:
            raise self._file_error(f"Cannot start a {service} that logs", error) from error
        self.write(f"{service}.pid", f"{process.pid} {_start_time(process.pid)}")
        try:
            process.wait(_STARTUP_SECONDS)
        except subprocess.TimeoutExpired:
            process.returncode = 0  # It outlives this hook and is not waited for.
            logger.debug("%s runs as process %d", service, process.pid)
            return
        name = {"server": "Valkey", "sentinel": "Sentinel"}[service]
        raise WorkloadError(f"{name} does not start: {self.last_log_line(service)}")

    def _spawn(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            output.write(f"{_LOG_START}\n".encode())
            output.flush()
            return subprocess.Popen(
                command,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                # Sentinel rewrites its file, which has its passwords, with this mode.
                umask=0o077,
            )

    def last_log_line(self, service: Service) -> str:
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

        def has_ended() -> bool:
            return self._pid(service) != pid

        os.kill(pid, signal.SIGTERM)
        if until(has_ended, _STOP_TIMEOUT, interval=0.01, clock=self._clock):
            return
        logger.warning("%s has not stopped in %.0f s: killing it", service, _STOP_TIMEOUT)
        os.kill(pid, signal.SIGKILL)
        until(has_ended, math.inf, interval=0.01, clock=self._clock)

    def _pid(self, service: Service) -> int | None:
        """The process id of a service, None if it does not run."""
        text = self.read(f"{service}.pid")
        if text and _PID_FILE.fullmatch(text):
            return _recorded_process(text)
        if text is None and not self._log(service).exists():
            return None  # It was never started.
        return _process_that_logs_to(self._log(service))


@contextlib.contextmanager
def _storage_errors() -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise WorkloadError(
            f"Cannot write to the storage data: {error.strerror}; free space on it, or grow it"
        ) from error


def _start_time(pid: int) -> str:
    """When a process started, in ticks since boot; empty for none and for a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _recorded_process(text: str | None) -> int | None:
    """The process that a file names by id and start time; None if it has ended."""
    if not text or not _PID_FILE.fullmatch(text):
        return None
    pid, start_time = text.split()
    return int(pid) if _start_time(int(pid)) == start_time else None


def _process_that_logs_to(log: Path) -> int | None:
    """The process whose output is a file; for when its id is not known any more."""
    for output in Path("/proc").glob("[0-9]*/fd/1"):
        with contextlib.suppress(OSError):  # It has ended, or is another user's.
            pid = int(output.parts[2])
            if output.readlink() == log and _start_time(pid):
                return pid
    return None
