"""Starts processes through the supervisor, waits for them and ends them all."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import LocalJujuError


@dataclass
class Child:
    """A process that the supervisor runs."""

    pid: int = 0
    exit_code: int | None = None
    started: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


class Host:
    """Starts processes that end with this object, even if this process is killed."""

    def __init__(self, root: Path):
        self._process = subprocess.Popen(
            [sys.executable, "-IS", str(Path(__file__).with_name("supervisor.py")), str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._children: dict[int, Child] = {}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="localjuju-host", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The supervisor's own process."""
        return self._process.pid

    def spawn(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        *,
        errors: Path | None = None,
    ) -> Child:
        """Start a process; its output goes into a file, or into two."""
        child = Child()
        with self._lock:
            number = len(self._children) + 1
            self._children[number] = child
        order = {"id": number, "argv": list(argv), "env": dict(env), "cwd": str(cwd)}
        self._send({**order, "log": str(log), "errors": str(errors or log)})
        if not child.started.wait(30):
            raise LocalJujuError("the supervisor does not answer")
        return child

    def kill(self, child: Child) -> None:
        """Kill a process and what it started in its session."""
        if child.pid and not child.ended.is_set():
            self._send({"kill": child.pid})

    def close(self) -> None:
        """Kill everything and remove the model's directory."""
        with contextlib.suppress(OSError, LocalJujuError):
            self._send({"end": True})
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        self._reader.join(5)

    def _send(self, message: dict[str, Any]) -> None:
        stdin = self._process.stdin
        if stdin is None or stdin.closed:
            raise LocalJujuError("the model is closed")
        with self._lock:
            stdin.write(json.dumps(message).encode() + b"\n")
            stdin.flush()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            message = json.loads(line)
            child = self._children[message["id"]]
            if "pid" in message:
                child.pid = message["pid"]
                child.started.set()
            else:
                child.exit_code = message["exit"]
                child.ended.set()
        for child in list(self._children.values()):
            child.started.set()
            child.ended.set()
