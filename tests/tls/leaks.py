"""What programs leave behind, and what the process list shows of them meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self


class Processes:
    """Notes every command line that it sees of processes that belong to a model."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            for folder in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    line = (folder / "cmdline").read_bytes()
                    if b"localjuju" in line + (folder / "environ").read_bytes():
                        self.seen.add(line)


def files_with(folder: Path, words: set[str]) -> Iterator[tuple[Path, str]]:
    """The files that hold one of some words, with it."""
    encoded = {word.encode() for word in words}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            for word in encoded:
                if word in content:
                    yield path, word.decode()
