"""A client that writes all the time and remembers what was acknowledged."""

from __future__ import annotations

import threading
import time
from typing import Any, Self

import valkey

from valkey_client import Access, client


class Writer:
    """Writes a key of its own with each call, one call after the other.

    Attributes:
        acknowledged: The numbers of the keys whose write was answered.
        failed: How many writes raised an error; they may have been done.
        longest_gap: Most seconds from one successful write to the next.
    """

    def __init__(self, access: Access):
        self._access = access
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._began = 0.0
        self._ended = 0.0
        self.acknowledged: list[int] = []
        self.failed = 0
        self.longest_gap = 0.0

    def _run(self) -> None:
        number = 0
        self._began = last = time.monotonic()
        with client.connect(self._access) as connection:
            while not self._stop.is_set():
                number += 1
                try:
                    connection.set(f"application:{number}", "x")
                except valkey.ValkeyError:
                    self.failed += 1
                    continue
                now = time.monotonic()
                self.acknowledged.append(number)
                self.longest_gap = max(self.longest_gap, now - last)
                last = now
        self._ended = time.monotonic()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def rate(self) -> float:
        """Writes a second in the time in which writes were possible."""
        return len(self.acknowledged) / (self._ended - self._began - self.longest_gap)

    def lost(self) -> int:
        """How many acknowledged writes are not there any more."""
        keys = [f"application:{number}" for number in self.acknowledged]
        with client.connect(self._access) as connection:
            server: Any = connection
            return sum(
                len(part) - server.exists(*part)
                for part in (keys[i : i + 1000] for i in range(0, len(keys), 1000))
            )
