"""The events of a model in their order, for people to read."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One line of the timeline.

    Attributes:
        seconds: Since the model was made.
        kind: ``hook``, ``databag``, ``secret``, ``status``, ``leader``, ``log`` or ``model``.
        subject: The unit, application or relation that it is about.
        text: What happened. Never the content of a secret.
    """

    seconds: float
    kind: str
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.seconds:8.3f}  {self.kind:<8} {self.subject:<16} {self.text}"


class Timeline:
    """The record of a model; safe to read while the model runs."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._entries: list[Entry] = []
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Entry], None]] = []

    def add(self, kind: str, subject: str, text: str) -> Entry:
        """Note that something happened, and return the note."""
        entry = Entry(time.monotonic() - self._start, kind, subject, text)
        with self._lock:
            self._entries.append(entry)
            listeners = list(self._listeners)
        for listener in listeners:
            # A listener that fails, as printing does on a closed pipe, must not stop the model.
            with contextlib.suppress(Exception):
                listener(entry)
        return entry

    def listen(self, listener: Callable[[Entry], None]) -> None:
        """Call a function with every further entry."""
        with self._lock:
            self._listeners.append(listener)

    def entries(self, *kinds: str) -> list[Entry]:
        """What was noted, of some kinds or of all."""
        with self._lock:
            return [entry for entry in self._entries if not kinds or entry.kind in kinds]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries())

    def __str__(self) -> str:
        return "\n".join(str(entry) for entry in self.entries() if entry.kind != "log")


def shorten(text: str, limit: int = 100) -> str:
    """A value of a databag on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
