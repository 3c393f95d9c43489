"""A certificate that cannot be used is refused with a reason, and nothing else changes."""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile

import pytest

import localjuju

from ..conftest import CHARMS, failed_hooks
from ..operated import OPERATOR, units
from .conftest import Write
from .estate import access_of, await_renewal, lost, message_of, settle, shown

pytestmark = [pytest.mark.tls, pytest.mark.timeout(600)]

REASONS = {
    "no-client-auth": "it lacks the extended key usage clientAuth; replication and Sentinel need both",
    "wrong-ca": "it was not signed by the CA sent with it",
    "wrong-key": "it does not match this unit's private key",
}


def test_what_was_before_goes_on(estate: localjuju.Juju, write: Write) -> None:
    before, access = shown(estate), access_of(estate)
    lasting, fresh = write(), write(lasts=False)
    for fault, reason in REASONS.items():
        estate.config("certificates", {"fault": fault})
        estate.run("certificates/0", "renew")
        settle(estate, tls=True)
        for unit in units(estate):
            said = message_of(estate, unit)
            assert said.startswith("blocked Certificate from certificates refused: ")
            assert reason in said
        assert shown(estate) == before
        assert access_of(estate) == access
    estate.config("certificates", reset="fault")
    estate.run("certificates/0", "renew")
    settle(estate, tls=True)
    for unit in units(estate):
        assert message_of(estate, unit).startswith("active")
    assert (lasting.errors, fresh.errors) == (0, 0)
    assert lost(estate, lasting, fresh) == 0
    assert failed_hooks(estate) == []


UNREADABLE = {
    "garbage": '"certificates" is not JSON',
    "[" * 10_000: '"certificates" is not JSON',
    '[{"unknown": "x"}]': '1 malformed entry in "certificates"',
}


def write_databag(juju: localjuju.Juju, certificates: str) -> None:
    """Let the provider write what its library would not."""
    relation = juju.relation_id("certificates", "certificates")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as content:
        # Not in words of the command: test_traces looks at the process list, maybe right now.
        json.dump({"certificates": certificates}, content)
        content.flush()
        command = ["relation-set", "--app", "-r", str(relation), "--file", content.name]
        words = [str(juju.bin / "juju-exec"), "certificates/0", shlex.join(command)]
        subprocess.run(words, check=True)
    settle(juju, tls=True)


def test_what_cannot_be_read_stops_nobody(estate: localjuju.Juju, write: Write) -> None:
    """No hook fails, whatever the provider writes, and applications come and go meanwhile."""
    before, access = shown(estate), access_of(estate)
    relation = estate.relation_id("certificates", "certificates")
    good = json.loads(estate.databag(relation, "certificates")["certificates"])
    lasting, fresh = write(), write(lasts=False)
    for text, reason in UNREADABLE.items():
        write_databag(estate, text)
        for unit in units(estate):
            said = message_of(estate, unit)
            assert said.startswith("blocked Malformed data from certificates: ")
            assert reason in said
    for name, reason in (
        ("certificate", "malformed leaf certificate"),
        ("ca", "malformed CA certificate"),
    ):
        write_databag(estate, json.dumps([{**answer, name: answer[name][:99]} for answer in good]))
        for unit in units(estate):
            said = message_of(estate, unit)
            assert said.startswith("blocked Certificate from certificates refused: ")
            assert reason in said
    assert shown(estate) == before
    assert access_of(estate) == access

    # What is not about certificates goes on.
    estate.deploy(CHARMS / "scripted_requirer", "late", config={"prefix": "late:*"})
    estate.integrate(OPERATOR, "late")
    settle(estate, tls=True)
    assert access_of(estate, "late").prefix == "late:*"
    estate.remove_application("late")

    estate.run("certificates/0", "renew")
    await_renewal(estate, before)
    for unit in units(estate):
        assert message_of(estate, unit).startswith("active")
    assert (lasting.errors, fresh.errors) == (0, 0)
    assert lost(estate, lasting, fresh) == 0
    assert failed_hooks(estate) == []
