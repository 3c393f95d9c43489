"""What programs leave behind, and what the process list shows of them meanwhile."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

_MODEL = re.compile(rb"localjuju-\w+")
_READINGS = 10
"""How often a process is read: it begins with the command line of its parent."""


class Processes:
    """Notes every command line of processes that belong to a model, with that model."""

    def __init__(self) -> None:
        self._seen: set[tuple[bytes, bytes]] = set()
        self._readings: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def of(self, model: Path) -> list[bytes]:
        """The command lines of the processes of a model, by its directory."""
        name = model.name.encode()
        return [line for owner, line in self._seen if owner == name]

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            present = [path.name for path in Path("/proc").glob("[0-9]*")]
            readings = self._readings
            self._readings = {name: readings.get(name, 0) + 1 for name in present}
            for name, count in self._readings.items():
                if count <= _READINGS:
                    self._read(Path("/proc", name))

    def _read(self, process: Path) -> None:
        with contextlib.suppress(OSError):
            line = (process / "cmdline").read_bytes()
            for model in _MODEL.findall(line + b"\0" + (process / "environ").read_bytes()):
                self._seen.add((model, line))


def files_with(folder: Path, words: set[str]) -> Iterator[tuple[Path, str]]:
    """The files that contain one of some words, with it."""
    encoded = {word.encode() for word in words}
    for path in folder.rglob("*"):
        # Servers write temporary files.
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                yield from ((path, word.decode()) for word in encoded if word in content)
