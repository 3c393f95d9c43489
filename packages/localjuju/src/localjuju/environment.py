"""A Python environment for each charm, so that two charms can hold two versions of a library."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from .charm import CharmSpec
from .errors import CharmError
from .host import Host

_UNUSED_DAYS = 30
"""After so many days without use an environment is removed from the cache."""


@dataclass(frozen=True)
class Environment:
    """The Python and the packages of a charm.

    Attributes:
        python: The interpreter.
        path: Directories that come before its packages, relative to the charm's directory.
        variables: Environment variables for its interpreters.
    """

    python: str
    path: tuple[str, ...] = ("src", "lib")
    variables: Mapping[str, str] = field(default_factory=dict[str, str])


class Environments:
    """Builds environments, one for each charm.

    A packed charm brings its own packages. A directory with a ``uv.lock``, of its own or of the
    workspace that it is part of, gets what the lock names; one with a requirements.txt or
    pyproject.toml gets what that names; any other runs in this interpreter.

    What a lock names is installed and compiled once, in ``$XDG_CACHE_HOME/localjuju``. Everything
    else ends with the model.
    """

    def __init__(self, root: Path, host: Host):
        self._root = root
        self._host = host
        self._built: dict[Path, Environment] = {}
        self._lock = threading.Lock()
        # As in production a charm is compiled once, but no directory of the user gets the files.
        self._variables = {"PYTHONPYCACHEPREFIX": str(root / "bytecode")}

    def of(self, charm: CharmSpec) -> Environment:
        """The environment of a charm.

        Raises:
            CharmError: If it cannot be built; the message holds the output of the installer.
        """
        if charm.packed:
            return replace(self._packed(charm), variables=self._variables)
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
            return self._sync(charm)
        if (home / "requirements.txt").exists():
            self._install(charm, target, "requirements.txt")
        elif (home / "pyproject.toml").exists():
            self._install(charm, target, "pyproject.toml")
        else:
            return Environment(sys.executable, variables=self._variables)
        return Environment(str(target / "bin" / "python"), variables=self._variables)

    def _sync(self, charm: CharmSpec) -> Environment:
        """The environment of a charm with a lock, from the cache or into it."""
        target = _cache(self._root) / f"{charm.name}-{_digest(charm.root)}"
        command = [_uv(), "sync", "--quiet", "--frozen", "--no-default-groups", "--project", "."]
        with _exclusively(target):
            complete = target / "localjuju-complete"
            # Also one that is there: its packages may have been changed by hand.
            compilation = [] if complete.exists() else ["--compile-bytecode"]
            self._run([*command, *compilation], charm, target)
            complete.touch()
            os.utime(target)
            _remove_unused(target.parent)
        return Environment(
            str(target / "bin" / "python"), variables={"PYTHONDONTWRITEBYTECODE": "1"}
        )

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
            "TMPDIR": str(self._root),  # uv leaves a lock file there
            "UV_PROJECT_ENVIRONMENT": str(target),
            "UV_PYTHON": sys.executable,
        }
        log = self._root / f"{target.name}.log"
        child = self._host.spawn(command, env, charm.root, log)
        child.ended.wait()
        if child.exit_code != 0:
            output = log.read_text().strip() if log.exists() else ""
            raise CharmError(f"the environment of {charm.root} cannot be built:\n{output}")


def _cache(root: Path) -> Path:
    """Where environments are kept; the model's own directory where there is no home."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        directory = Path(home) / "localjuju"
        directory.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return root
    return directory if os.access(directory, os.W_OK) else root


def _digest(home: Path) -> str:
    """Of all that decides what is installed: another lock, another interpreter, another place."""
    digest = hashlib.sha256(f"{home}\0{sys.executable}\0{sys.version}".encode())
    for directory in (home, *home.parents):
        for name in ("pyproject.toml", "uv.lock"):
            with contextlib.suppress(OSError):
                digest.update((directory / name).read_bytes())
        if (directory / "uv.lock").exists():
            break
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _exclusively(target: Path) -> Generator[None]:
    """Wait for another model that builds the same environment."""
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_unused(cache: Path) -> None:
    """Remove the environments that no model has used for long."""
    for lock in cache.glob("*.lock"):
        environment = lock.with_suffix("")
        with contextlib.suppress(OSError):
            if environment.stat().st_mtime < time.time() - _UNUSED_DAYS * 86400:
                shutil.rmtree(environment, ignore_errors=True)
                lock.unlink()


def _uv() -> str:
    return os.environ.get("UV") or shutil.which("uv") or ""
