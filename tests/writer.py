"""An application that writes without pause and knows what was acknowledged."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from valkey_client import Access, client

from .waits import DEADLINE, NOT_YET


class Writer:
    """Counts up through Sentinel, as fast as it can or with a pause after each write.

    Args:
        access: Says where to write and with which account. Read again after an error, as a charm
            gives its application what the relation says now; an error of its own counts as one of
            the server's, since a relation may be away for a moment.
        pause: Seconds between two writes.
        lasts: Whether it keeps its connection as long as that works. Else it makes one for each
            write, and retries each for half a second.
        timeout: Seconds that it waits for an answer.
    """

    def __init__(
        self,
        access: Callable[[], Access],
        *,
        pause: float = 0.0,
        lasts: bool = True,
        timeout: float = 1.0,
    ):
        self._access = access
        self._pause = pause
        self._timeout = timeout
        self._lasts = lasts
        # No writer takes the keys of another for its own.
        self._name = f"application:{secrets.token_hex(4)}:"
        self._options: dict[str, Any] = {} if lasts else {"retry_for": 0.5}
        self._stop = threading.Event()
        self.acknowledged = 0
        self.errors = 0
        self.last_error = ""
        self.longest_gap = 0.0
        self.times: list[datetime] = []
        """When each write was acknowledged, by the clock of the logs."""
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self._write()
        except BaseException as error:
            self._failure = error

    def _write(self) -> None:
        last = time.monotonic()
        while not self._stop.is_set():
            try:
                with client.connect(
                    self._access(), socket_timeout=self._timeout, **self._options
                ) as connection:
                    while not self._stop.wait(self._pause):
                        connection.set(f"{self._name}{self.acknowledged + 1}", "x")
                        self.times.append(datetime.now().astimezone())
                        self.acknowledged += 1
                        now = time.monotonic()
                        self.longest_gap = max(self.longest_gap, now - last)
                        last = now
                        if not self._lasts:
                            break
            except NOT_YET as error:
                self.errors += 1
                self.last_error = f"{type(error).__name__}: {error}"
                self._stop.wait(0.02)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it, and raise what ended it before, if anything did. Safe to repeat."""
        self._stop.set()
        self._thread.join()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure:
            raise RuntimeError("the writer has ended") from self._failure

    def await_writes(self, count: int = 10, timeout: float = DEADLINE) -> None:
        """Wait until so many more writes were acknowledged."""
        goal = self.acknowledged + count
        deadline = time.monotonic() + timeout
        while self.acknowledged < goal:
            self._raise_failure()
            assert time.monotonic() < deadline, (
                f"{self.acknowledged} of {goal} writes after {timeout:.0f} s;"
                f" last error: {self.last_error}"
            )
            time.sleep(0.01)

    def lost(self, connection: Any) -> int:
        """How many of the acknowledged writes a server does not have."""
        return len(self.lost_writes(connection))

    def lost_writes(self, connection: Any) -> list[int]:
        """The numbers of the acknowledged writes that a server does not have."""
        names = {n: f"{self._name}{n}" for n in range(1, self.acknowledged + 1)}
        missing: list[int] = []
        for first in range(1, len(names) + 1, 1000):
            part = range(first, min(first + 1000, len(names) + 1))
            if connection.exists(*(names[n] for n in part)) < len(part):
                missing += [n for n in part if not connection.exists(names[n])]
        return missing
