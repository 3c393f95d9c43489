"""A warm interpreter for each charm, forked for every hook.

The fork has already imported what the charm imports, and what earlier hooks imported while they
ran; it sends its hook commands over the socket without a process for each. Two things differ from
production: module-level code runs once and not once a hook, and threads that an import starts are
lost.

Applications of one charm share an interpreter until one of them is refreshed: starting one costs
more than ten hooks.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from ..errors import LocalJujuError
from ..host import Child, Host
from . import Run


class _Code(NamedTuple):
    """What an interpreter has loaded; two applications with the same code share it."""

    python: str
    path: tuple[str, ...]
    entry_point: str
    files: frozenset[tuple[str, int, int]]

    @classmethod
    def of(cls, run: Run) -> _Code:
        """The code of a hook, as it is on disk now; a charm may change between two deployments."""
        files: set[tuple[str, int, int]] = set()
        for part in {Path(run.entry_point).parts[0], *run.environment.path}:
            for folder, _, names in os.walk((run.charm_dir / part).resolve()):
                for path in (Path(folder, name) for name in names if name.endswith(".py")):
                    stat = path.stat()
                    files.add((str(path), stat.st_mtime_ns, stat.st_size))
        environment = run.environment
        return cls(environment.python, environment.path, run.entry_point, frozenset(files))


@dataclass
class _Zygote:
    """An interpreter.

    Attributes:
        child: Its process.
        path: Its socket.
        home: The application whose files it imports.
    """

    child: Child
    path: Path
    home: str


def _read(answer: BinaryIO, key: str) -> int | None:
    line = answer.readline()
    return int(json.loads(line)[key]) if line else None


class WarmDriver:
    """Keeps an interpreter for each charm."""

    def __init__(self, host: Host, root: Path):
        self._host = host
        self._root = root
        self._codes: dict[str, _Code] = {}
        self._zygotes: dict[_Code, _Zygote] = {}
        self._stale: list[_Zygote] = []
        self._count = 0

    def run(self, run: Run) -> int:
        """See :class:`Driver`."""
        while self._stale:
            self._retire(self._stale.pop())
        code = self._codes.get(run.app)
        if code is None:
            code = self._codes[run.app] = _Code.of(run)
        zygote = self._zygotes.get(code)
        if zygote is None or zygote.child.ended.is_set():
            zygote = self._zygotes[code] = self._start(run)
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

        The present one may be running a hook, so it is not ended here. Applications that share it
        get another one as well if it imports from this application's directory.
        """
        code = self._codes.pop(app, None)
        zygote = self._zygotes.get(code) if code else None
        if code and zygote and (zygote.home == app or code not in self._codes.values()):
            del self._zygotes[code]
            self._stale.append(zygote)

    def _retire(self, zygote: _Zygote) -> None:
        self._host.kill(zygote.child)
        zygote.path.unlink(missing_ok=True)

    def _start(self, run: Run) -> _Zygote:
        self._count += 1
        path = self._root / f"zygote-{self._count}.sock"
        script = Path(__file__).with_name("zygote.py")
        keep = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")
        env = {k: v for k, v in run.variables.items() if k in keep}
        env["PYTHONPATH"] = ":".join(str(run.charm_dir / p) for p in run.environment.path)
        child = self._host.spawn(
            [run.environment.python, str(script), str(path), run.entry_point],
            env,
            run.charm_dir,
            run.log,
        )
        return _Zygote(child, path, run.app)

    @staticmethod
    def _connect(connection: socket.socket, zygote: _Zygote, run: Run) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                connection.connect(str(zygote.path))
            except (FileNotFoundError, ConnectionRefusedError):
                if zygote.child.ended.is_set() or time.monotonic() > deadline:
                    output = run.log.read_text() if run.log.exists() else ""
                    raise LocalJujuError(
                        f"the interpreter of {run.app} does not start: {output.strip()}"
                    ) from None
                time.sleep(0.005)
            else:
                return
