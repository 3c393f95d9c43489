"""A Python environment for each charm, so that two charms can hold two versions of a library."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from .charm import CharmSpec
from .errors import CharmError
from .host import Host


@dataclass(frozen=True)
class Environment:
    """The Python and the packages of a charm.

    Attributes:
        python: The interpreter.
        path: Directories that come before its packages, relative to the charm's directory.
    """

    python: str
    path: tuple[str, ...] = ("src", "lib")


class Environments:
    """Builds environments, one for each charm.

    A packed charm brings its own packages. A directory with a ``uv.lock``, of its own or of the
    workspace that it is part of, gets what the lock names; one with a requirements.txt or
    pyproject.toml gets what that names; any other runs in this interpreter.
    """

    def __init__(self, root: Path, host: Host):
        self._root = root
        self._host = host
        self._built: dict[Path, Environment] = {}
        self._lock = threading.Lock()

    def of(self, charm: CharmSpec) -> Environment:
        """The environment of a charm.

        Raises:
            CharmError: If it cannot be built; the message holds the output of the installer.
        """
        if charm.packed:
            return self._packed(charm)
        with self._lock:
            if charm.root not in self._built:
                self._built[charm.root] = self._build(charm)
            return self._built[charm.root]

    @staticmethod
    def _packed(charm: CharmSpec) -> Environment:
        directories = sorted(charm.root.glob("venv/lib/python3*/site-packages"))
        packages = directories[0].relative_to(charm.root) if directories else Path("venv")
        name = packages.parts[2] if directories else "python3"
        python = shutil.which(name) or sys.executable
        return Environment(python, ("lib", "src", str(packages)))

    def _build(self, charm: CharmSpec) -> Environment:
        home = charm.root
        locked = any((parent / "uv.lock").exists() for parent in (home, *home.parents))
        target = self._root / f"env-{len(self._built)}-{charm.name}"
        if (home / "pyproject.toml").exists() and locked and _uv():
            self._run(
                [_uv(), "sync", "--quiet", "--frozen", "--no-default-groups", "--project", "."],
                charm,
                target,
            )
        elif (home / "requirements.txt").exists():
            self._install(charm, target, "requirements.txt")
        elif (home / "pyproject.toml").exists():
            self._install(charm, target, "pyproject.toml")
        else:
            return Environment(sys.executable)
        return Environment(str(target / "bin" / "python"))

    def _install(self, charm: CharmSpec, target: Path, source: str) -> None:
        uv = _uv()
        if not uv:
            raise CharmError(f"{charm.root} needs packages from {source}; install uv")
        self._run([uv, "venv", "--quiet", "--python", sys.executable, str(target)], charm, target)
        python = str(target / "bin" / "python")
        self._run(
            [uv, "pip", "install", "--quiet", "--python", python, "-r", source], charm, target
        )

    def _run(self, command: list[str], charm: CharmSpec, target: Path) -> None:
        env = {k: v for k, v in os.environ.items() if k not in {"VIRTUAL_ENV", "PYTHONPATH"}}
        env |= {
            "TMPDIR": str(target.parent),  # uv leaves a lock file there
            "UV_PROJECT_ENVIRONMENT": str(target),
            "UV_PYTHON": sys.executable,
        }
        log = target.with_suffix(".log")
        child = self._host.spawn(command, env, charm.root, log)
        child.ended.wait()
        if child.exit_code != 0:
            output = log.read_text().strip() if log.exists() else ""
            raise CharmError(f"the environment of {charm.root} cannot be built:\n{output}")


def _uv() -> str:
    return os.environ.get("UV") or shutil.which("uv") or ""
