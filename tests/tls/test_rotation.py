"""Certificates and CAs change while applications write."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

import localjuju
from valkey_operator.rules.pem import split_certificates

from ..conftest import failed_hooks, logged_events
from ..operator_model import OPERATOR, PORT, SENTINEL_PORT, access_of, units, update_status
from ..waits import until
from .conftest import Write
from .testbed import (
    await_renewal,
    certificates_of,
    files_of,
    lost,
    message_of,
    serial_numbers,
)

pytestmark = [pytest.mark.tls]


def test_certificate_renewal_interrupts_no_client(testbed: localjuju.Juju, write: Write) -> None:
    """No connection is lost, and applications need not hear of it."""
    before, ca = serial_numbers(testbed), access_of(testbed).tls_ca
    lasting, fresh = write(), write(lasts=False)
    heard = len(logged_events(testbed, "v1/0"))
    testbed.run("certificates/0", "renew")
    after = await_renewal(testbed, before)
    for unit in units(testbed):
        assert after[f"{unit}:{PORT}"] == after[f"{unit}:{SENTINEL_PORT}"]
    assert access_of(testbed).tls_ca == ca
    assert len(logged_events(testbed, "v1/0")) == heard
    assert (lasting.errors, fresh.errors) == (0, 0)
    assert lost(testbed, lasting, fresh) == 0
    assert failed_hooks(testbed) == []


def test_ca_rotation_interrupts_no_client(testbed: localjuju.Juju, write: Write) -> None:
    """Everybody trusts both before the first certificate of the new one is used."""
    before = serial_numbers(testbed)
    (old,) = split_certificates(access_of(testbed).tls_ca)
    lasting, fresh = write(), write(lasts=False)
    heard = {wire: len(logged_events(testbed, f"{wire}/0")) for wire in ("v0", "v1")}
    testbed.run("certificates/0", "rotate-ca")
    await_renewal(testbed, before)
    (new,) = split_certificates(access_of(testbed).tls_ca)
    assert old != new
    for wire, count in heard.items():
        cas = [
            split_certificates(e["tls-ca"]) for e in logged_events(testbed, f"{wire}/0")[count:]
        ]
        assert cas == [tuple(sorted((old, new))), (new,)]
    assert (lasting.errors, fresh.errors) == (0, 0)
    assert lost(testbed, lasting, fresh) == 0
    assert failed_hooks(testbed) == []


def test_tls_private_key_option_is_used(testbed: localjuju.Juju) -> None:
    """The servers' certificates then belong to it, and to the units' own again without it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    form = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL)
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(*form, serialization.NoEncryption()).decode()
    before = serial_numbers(testbed)
    uri = testbed.add_secret("key", {"private-key": "none"})
    testbed.config(OPERATOR, {"tls-private-key": str(uri)})
    testbed.settle()
    for unit in units(testbed):
        assert message_of(testbed, unit).startswith(
            "blocked Cannot read the secret in tls-private-key"
        )
    testbed.grant_secret("key", OPERATOR)
    update_status(testbed)
    for unit in units(testbed):
        assert "No usable private-key in the secret of tls-private-key" in message_of(
            testbed, unit
        )
    assert serial_numbers(testbed) == before
    testbed.update_secret("key", {"private-key": text})
    after = await_renewal(testbed, before)
    assert {path.read_text().strip() for path in files_of(testbed, "tls-*.key")} == {text.strip()}
    testbed.config(OPERATOR, reset="tls-private-key")
    await_renewal(testbed, after)


def issue_short_lived(juju: localjuju.Juju) -> datetime:
    """Let every server and Sentinel use a certificate that expires soon, and say when all have.

    On a busy machine some expire before they are used, and are refused; then they get longer.
    """
    before = serial_numbers(juju)
    for seconds in (12, 40, 120):
        juju.config("certificates", {"life": seconds})
        juju.run("certificates/0", "renew")
        juju.settle()
        certificates = certificates_of(juju)
        if all(certificates[node].serial_number != serial for node, serial in before.items()):
            return max(certificate.not_valid_after_utc for certificate in certificates.values())
    raise AssertionError("certificates expire before they are used")


def test_expired_certificates_are_replaced(testbed: localjuju.Juju, write: Write) -> None:
    """Nobody can connect any more then, and those that are connected stay so."""
    lasting, fresh = write(), write(lasts=False)
    expiry = issue_short_lived(testbed)
    time.sleep(max(0.0, expiry.timestamp() + 1 - time.time()))
    update_status(testbed)
    short = serial_numbers(testbed)
    for unit in units(testbed):
        assert message_of(testbed, unit).startswith("blocked Certificate expired on")
    failed = until(lambda: fresh.errors, what="a new connection is refused")
    testbed.config("certificates", reset="life")
    testbed.run("certificates/0", "renew")
    await_renewal(testbed, short)
    assert failed > 0
    assert lasting.errors == 0
    assert lost(testbed, lasting, fresh) == 0
    for unit in units(testbed):
        assert message_of(testbed, unit).startswith("active")
    assert failed_hooks(testbed) == []
