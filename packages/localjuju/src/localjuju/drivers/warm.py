"""A warm interpreter for each application, forked for every hook.

The fork has imported already what the charm imports and what earlier hooks imported on their way,
and it sends its hook commands over the socket without a process for each. What it cannot show:
module-level state is evaluated once, not once a hook, and threads started on import are lost.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import LocalJujuError
from ..host import Child, Host
from . import Run


@dataclass
class _Zygote:
    child: Child
    path: Path


def _read(answer: BinaryIO, key: str) -> int | None:
    line = answer.readline()
    return int(json.loads(line)[key]) if line else None


class WarmDriver:
    """Keeps an interpreter for each application."""

    def __init__(self, host: Host, root: Path):
        self._host = host
        self._root = root
        self._zygotes: dict[str, _Zygote] = {}
        self._stale: set[str] = set()
        self._count = 0

    def run(self, run: Run) -> int:
        """See :class:`Driver`."""
        if run.app in self._stale:
            self._stale.discard(run.app)
            self._retire(run.app)
        zygote = self._zygotes.get(run.app)
        if zygote is None or zygote.child.ended.is_set():
            zygote = self._zygotes[run.app] = self._start(run)
        order = {"env": dict(run.variables), "cwd": str(run.charm_dir), "log": str(run.log)}
        with socket.socket(socket.AF_UNIX) as connection:
            self._connect(connection, zygote, run)
            connection.settimeout(run.timeout)
            connection.sendall(json.dumps(order).encode() + b"\n")
            with cast("BinaryIO", connection.makefile("rb")) as answer:
                pid = _read(answer, "pid")
                try:
                    code = _read(answer, "exit")
                except TimeoutError:
                    if pid:
                        os.killpg(pid, signal.SIGKILL)
                    return -9
        return -9 if code is None else code

    def forget(self, app: str) -> None:
        """Let the next hook of an application start another interpreter.

        The present one may be running a hook at this moment, so it is not ended here.
        """
        self._stale.add(app)

    def _retire(self, app: str) -> None:
        zygote = self._zygotes.pop(app, None)
        if zygote is not None:
            self._host.kill(zygote.child)
            zygote.path.unlink(missing_ok=True)

    def _start(self, run: Run) -> _Zygote:
        self._count += 1
        path = self._root / f"zygote-{self._count}.sock"
        script = Path(__file__).with_name("zygote.py")
        keep = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONDONTWRITEBYTECODE")
        env = {k: v for k, v in run.variables.items() if k in keep}
        env["PYTHONPATH"] = ":".join(str(run.charm_dir / p) for p in run.environment.path)
        child = self._host.spawn(
            [run.environment.python, str(script), str(path), run.entry_point],
            env,
            run.charm_dir,
            run.log,
        )
        return _Zygote(child, path)

    @staticmethod
    def _connect(connection: socket.socket, zygote: _Zygote, run: Run) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                connection.connect(str(zygote.path))
            except (FileNotFoundError, ConnectionRefusedError):
                if zygote.child.ended.is_set() or time.monotonic() > deadline:
                    said = run.log.read_text() if run.log.exists() else ""
                    raise LocalJujuError(
                        f"the interpreter of {run.app} does not start: {said.strip()}"
                    ) from None
                time.sleep(0.005)
            else:
                return
