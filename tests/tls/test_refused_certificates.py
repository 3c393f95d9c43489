"""A certificate that cannot be used is refused with a reason, and nothing else changes."""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile

import pytest

import localjuju

from ..conftest import CHARMS, failed_hooks
from ..operator_model import OPERATOR, access_of, units
from .conftest import Write
from .testbed import await_renewal, lost, message_of, serial_numbers, settle

pytestmark = [pytest.mark.tls]

REASONS = {
    "no-client-auth": "it lacks the extended key usage clientAuth; replication and Sentinel need both",
    "wrong-ca": "it was not signed by the CA sent with it",
    "wrong-key": "it does not match this unit's private key",
}


def test_refused_certificate_leaves_the_previous_one_in_use(
    testbed: localjuju.Juju, write: Write
) -> None:
    before, access = serial_numbers(testbed), access_of(testbed)
    lasting, fresh = write(), write(lasts=False)
    for fault, reason in REASONS.items():
        testbed.config("certificates", {"fault": fault})
        testbed.run("certificates/0", "renew")
        settle(testbed, tls=True)
        for unit in units(testbed):
            message = message_of(testbed, unit)
            assert message.startswith("blocked Certificate from certificates refused: ")
            assert reason in message
        assert serial_numbers(testbed) == before
        assert access_of(testbed) == access
    testbed.config("certificates", reset="fault")
    testbed.run("certificates/0", "renew")
    settle(testbed, tls=True)
    for unit in units(testbed):
        assert message_of(testbed, unit).startswith("active")
    assert (lasting.errors, fresh.errors) == (0, 0)
    assert lost(testbed, lasting, fresh) == 0
    assert failed_hooks(testbed) == []


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


def test_malformed_certificate_data_stops_no_service(
    testbed: localjuju.Juju, write: Write
) -> None:
    """No hook fails, whatever the provider writes, and applications come and go meanwhile."""
    before, access = serial_numbers(testbed), access_of(testbed)
    relation = testbed.relation_id("certificates", "certificates")
    good = json.loads(testbed.databag(relation, "certificates")["certificates"])
    lasting, fresh = write(), write(lasts=False)
    for text, reason in UNREADABLE.items():
        write_databag(testbed, text)
        for unit in units(testbed):
            message = message_of(testbed, unit)
            assert message.startswith("blocked Malformed data from certificates: ")
            assert reason in message
    for name, reason in (
        ("certificate", "malformed leaf certificate"),
        ("ca", "malformed CA certificate"),
    ):
        write_databag(
            testbed, json.dumps([{**answer, name: answer[name][:99]} for answer in good])
        )
        for unit in units(testbed):
            message = message_of(testbed, unit)
            assert message.startswith("blocked Certificate from certificates refused: ")
            assert reason in message
    assert serial_numbers(testbed) == before
    assert access_of(testbed) == access

    # What is not about certificates goes on.
    testbed.deploy(CHARMS / "scripted_requirer", "late", config={"prefix": "late:*"})
    testbed.integrate(OPERATOR, "late")
    settle(testbed, tls=True)
    assert access_of(testbed, "late").prefix == "late:*"
    testbed.remove_application("late")

    testbed.run("certificates/0", "renew")
    await_renewal(testbed, before)
    for unit in units(testbed):
        assert message_of(testbed, unit).startswith("active")
    assert (lasting.errors, fresh.errors) == (0, 0)
    assert lost(testbed, lasting, fresh) == 0
    assert failed_hooks(testbed) == []
