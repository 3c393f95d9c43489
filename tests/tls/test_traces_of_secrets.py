"""Nothing secret is left behind, and nothing secret was to be seen meanwhile.

It looks at what the other tests of this folder have done, so it comes after them.
"""

from __future__ import annotations

import stat

import pytest

import localjuju

from ..conftest import logged_events
from ..operator_model import OPERATOR
from .leaks import Processes, files_with

pytestmark = [pytest.mark.tls]

SECRET = ("private-key", "password", "key")
OWN_FILES = ("valkey.conf", "sentinel.conf", "start.json")
"""What servers, and the check before their start, read their passwords from."""


def secrets_of(juju: localjuju.Juju) -> set[str]:
    """Each secret that there is now: passwords, and a line of each private key."""
    secrets: set[str] = set()
    for secret in juju.secrets():
        for name, value in juju.show_secret(secret.uri, reveal=True).content.items():
            if name.endswith(SECRET):
                lines = value.strip().splitlines()
                secrets.add(lines[len(lines) // 2])
    return secrets


def test_secrets_are_only_in_private_files(testbed: localjuju.Juju, processes: Processes) -> None:
    # The applications that log what they hear do so on purpose, passwords too.
    spoken = {e["password"] for wire in ("v0", "v1") for e in logged_events(testbed, f"{wire}/0")}
    words = secrets_of(testbed) - spoken
    assert len(words) >= 9  # four internal passwords, an application's, four keys
    for path, word in files_with(testbed.directory, words):
        is_key = path.name.startswith("tls-") and path.suffix == ".key"
        assert is_key or path.name in OWN_FILES, (path, word[:4])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    texts = "\n".join(entry.text for entry in testbed.timeline.entries())
    assert not [word[:4] for word in words if word in texts]
    assert "PRIVATE KEY" not in texts
    logs = "\n".join(entry.text for entry in testbed.timeline.entries("log", "status"))
    assert "CERTIFICATE REQUEST" not in logs
    seen = b"\n".join(processes.of(testbed.directory))
    assert OPERATOR.encode() in seen
    assert not [word[:4] for word in words if word.encode() in seen]
    for forbidden in (b"PRIVATE KEY", b"CERTIFICATE REQUEST"):
        assert forbidden not in seen
