"""The data directory of a server, as files of this machine."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..rules.append_only import DIRECTORY, MANIFEST, DataFiles, last_incremental
from ..rules.disk import DiskUsage

RECORD = "valkey-data.json"
"""The charm's record of how new the data are."""

ASIDE = "damaged-data"
"""Where damaged files are kept."""

_TAIL = 1024 * 1024
"""Bytes of the last incremental file that are read: the server logs the time each second."""


@dataclass(frozen=True)
class DataDirectory:
    """A server's data directory.

    Attributes:
        path: Where it is.
    """

    path: Path

    def files(self, log: str = "", log_time: float = 0.0) -> DataFiles:
        """What lies in it. Files that cannot be read count as missing.

        Args:
            log: What the server wrote since it started last.
            log_time: When it did so, in seconds since 1970.
        """
        directory = self.path / DIRECTORY
        files = self._files()
        sizes = {name: stat.st_size for name, stat in files.items()}
        # A copy may bring an old time of modification, but not of this.
        if any(stat.st_ctime > log_time for stat in files.values()):
            log = ""
        manifest = _read_text(directory / MANIFEST)
        name = last_incremental(manifest)
        tail = _read_tail(directory / name) if name else b""
        return DataFiles(sizes, manifest, tail, _read_text(self.path / RECORD), log)

    def disk_usage(self) -> DiskUsage:
        """How full its disk is; all zeros if that cannot be told."""
        try:
            usage = shutil.disk_usage(self.path)
        except OSError:
            return DiskUsage()
        return DiskUsage(usage.total, usage.free, sum(s.st_size for s in self._files().values()))

    def _files(self) -> dict[str, os.stat_result]:
        """The append-only files, by name."""
        files: dict[str, os.stat_result] = {}
        with contextlib.suppress(OSError):
            for entry in os.scandir(self.path / DIRECTORY):
                with contextlib.suppress(OSError):
                    files[entry.name] = entry.stat()
        return files

    def write_record(self, text: str) -> None:
        """Replace the charm's record, or leave the old one whole."""
        path = self.path / RECORD
        replacement = path.with_suffix(".new")
        try:
            replacement.write_text(text)
            replacement.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                replacement.unlink(missing_ok=True)
            raise

    def set_aside(self, needed: int) -> str:
        """Move the files of the server aside, or delete them where the disk has no room.

        A copy that was kept earlier is deleted: there is one at the most.

        Args:
            needed: Bytes that must stay free for new data.

        Returns:
            What became of them, for the log and the status.
        """
        aside = self.path / ASIDE
        shutil.rmtree(aside, ignore_errors=True)
        directory = self.path / DIRECTORY
        with contextlib.suppress(OSError):
            (self.path / RECORD).unlink(missing_ok=True)
        if not directory.exists():
            return "there was nothing to keep"
        free = shutil.disk_usage(self.path).free
        if free < needed:
            shutil.rmtree(directory)
            return f"deleted, as the disk has only {free // 2**20} MiB free"
        directory.rename(aside)
        return f"kept in {aside}"


def _read_text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None


def _read_tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL))
            return file.read()
    except OSError:
        return b""
