"""Nothing secret is left behind, and nothing secret was to be seen meanwhile.

It looks at what the other tests of this folder have done, so it comes after them.
"""

from __future__ import annotations

import stat

import pytest

import localjuju

from ..conftest import told
from ..operated import OPERATOR
from .traces import Processes, files_with

pytestmark = [pytest.mark.tls, pytest.mark.timeout(600)]

SECRET = ("private-key", "password", "key")
OWN_FILES = ("valkey.conf", "sentinel.conf")
"""What servers read their passwords from."""


def secrets_of(juju: localjuju.Juju) -> set[str]:
    """Each secret that there is now: passwords, and a line of each private key."""
    found: set[str] = set()
    for secret in juju.secrets():
        for name, value in juju.show_secret(secret.uri, reveal=True).content.items():
            if name.endswith(SECRET):
                lines = value.strip().splitlines()
                found.add(lines[len(lines) // 2])
    return found


def test_secrets_are_nowhere_but_in_their_files(
    estate: localjuju.Juju, processes: Processes
) -> None:
    # The applications that log what they hear do so on purpose, passwords too.
    spoken = {e["password"] for wire in ("v0", "v1") for e in told(estate, f"{wire}/0")}
    words = secrets_of(estate) - spoken
    assert len(words) >= 9  # four internal passwords, an application's, four keys
    for path, word in files_with(estate.directory, words):
        is_key = path.name.startswith("tls-") and path.suffix == ".key"
        assert is_key or path.name in OWN_FILES, (path, word[:4])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    said = "\n".join(entry.text for entry in estate.timeline.entries())
    assert not [word[:4] for word in words if word in said]
    assert "PRIVATE KEY" not in said
    logs = "\n".join(entry.text for entry in estate.timeline.entries("log", "status"))
    assert "CERTIFICATE REQUEST" not in logs
    seen = b"\n".join(processes.seen)
    assert OPERATOR.encode() in seen
    assert not [word[:4] for word in words if word.encode() in seen]
    for forbidden in (b"PRIVATE KEY", b"CERTIFICATE REQUEST"):
        assert forbidden not in seen
