"""What the probes share: where Valkey is, and how a verdict is said."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

URL = os.environ["VALKEY_URL"]
"""Of the primary, with the account's name and password."""

PREFIX = os.environ["VALKEY_PREFIX"].removesuffix("*")
"""What every key and channel must begin with."""

WAIT = 60.0
"""Seconds after which something that should have happened is taken for failed."""

_features: dict[str, Callable[[], object]] = {}


def feature(name: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Mark a function that uses one feature and raises if it does not work."""

    def mark(function: Callable[[], object]) -> Callable[[], object]:
        _features[name] = function
        return function

    return mark


def run() -> None:
    """Use the features that the command line names, or all; print a JSON line about each."""
    for name in sys.argv[1:] or _features:
        function = _features[name]
        error = None
        try:
            outcome = function()
            if inspect.iscoroutine(outcome):
                asyncio.run(outcome)
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
        print(json.dumps({"feature": name, "works": error is None, "error": error}), flush=True)


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: If it does not come true.
    """
    deadline = time.monotonic() + WAIT
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


class Child:
    """A Python process of the library under test.

    Args:
        arguments: What follows ``python``.
    """

    def __init__(self, *arguments: str):
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=Path(__file__).parent,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self._lines.extend(iter(self.process.stdout.readline, ""))

    def has_said(self, text: str) -> bool:
        """Whether a line of its output holds this.

        Raises:
            RuntimeError: If it has not, and the process has ended; with the last line that
                names an error.
        """
        ended = self.process.poll() is not None
        if ended:
            self._reader.join()
        if any(text in line for line in self._lines):
            return True
        if ended:
            raise RuntimeError(self.error() or "it ended without an error")
        return False

    def error(self) -> str:
        """The last line that names an error."""
        return ([""] + [line.strip() for line in self._lines if "Error" in line])[-1]


@contextmanager
def process(*arguments: str, ready: str) -> Generator[Child]:
    """A Python process of the library under test, from the line that says it is ready on.

    Args:
        arguments: What follows ``python``.
        ready: A part of that line.

    Raises:
        RuntimeError: If the process ends before.
    """
    child = Child(*arguments)
    try:
        wait_until(lambda: child.has_said(ready), f"the line {ready!r}")
        yield child
    finally:
        child.process.terminate()
        child.process.wait(WAIT)
