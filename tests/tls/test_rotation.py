"""Certificates and CAs change while applications write."""

from __future__ import annotations

import time

import pytest

import localjuju
from valkey_operator.rules.pem import split_certificates

from ..conftest import failed_hooks, told
from ..operated import OPERATOR, PORT, SENTINEL_PORT, units
from .conftest import Write
from .estate import access_of, await_renewal, files_of, lost, message_of, shown, update_status

pytestmark = [pytest.mark.tls, pytest.mark.timeout(600)]


def test_leaves_are_renewed(estate: localjuju.Juju, write: Write) -> None:
    """No connection is lost, and applications need not hear of it."""
    before, ca = shown(estate), access_of(estate).tls_ca
    lasting, fresh = write(), write(lasts=False)
    heard = len(told(estate, "v1/0"))
    estate.run("certificates/0", "renew")
    after = await_renewal(estate, before)
    for unit in units(estate):
        assert after[f"{unit}:{PORT}"] == after[f"{unit}:{SENTINEL_PORT}"]
    assert access_of(estate).tls_ca == ca
    assert len(told(estate, "v1/0")) == heard
    assert (lasting.errors, fresh.errors) == (0, 0)
    assert lost(estate, lasting, fresh) == 0
    assert failed_hooks(estate) == []


def test_the_ca_is_rotated(estate: localjuju.Juju, write: Write) -> None:
    """Everybody trusts both before the first certificate of the new one is used."""
    before = shown(estate)
    (old,) = split_certificates(access_of(estate).tls_ca)
    lasting, fresh = write(), write(lasts=False)
    heard = {wire: len(told(estate, f"{wire}/0")) for wire in ("v0", "v1")}
    estate.run("certificates/0", "rotate-ca")
    await_renewal(estate, before)
    (new,) = split_certificates(access_of(estate).tls_ca)
    assert old != new
    for wire, count in heard.items():
        said = [split_certificates(e["tls-ca"]) for e in told(estate, f"{wire}/0")[count:]]
        assert said == [tuple(sorted((old, new))), (new,)]
    assert (lasting.errors, fresh.errors) == (0, 0)
    assert lost(estate, lasting, fresh) == 0
    assert failed_hooks(estate) == []


def test_a_key_that_the_operator_gives_is_used(estate: localjuju.Juju) -> None:
    """The servers' certificates then belong to it, and to the units' own again without it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    form = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL)
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(*form, serialization.NoEncryption()).decode()
    before = shown(estate)
    uri = estate.add_secret("key", {"private-key": "none"})
    estate.config(OPERATOR, {"tls-private-key": str(uri)})
    estate.settle(240)
    for unit in units(estate):
        assert message_of(estate, unit).startswith(
            "blocked Cannot read the secret in tls-private-key"
        )
    estate.grant_secret("key", OPERATOR)
    update_status(estate)
    for unit in units(estate):
        assert "No usable private-key in the secret of tls-private-key" in message_of(estate, unit)
    assert shown(estate) == before
    estate.update_secret("key", {"private-key": text})
    after = await_renewal(estate, before)
    assert {path.read_text().strip() for path in files_of(estate, "tls-*.key")} == {text.strip()}
    estate.config(OPERATOR, reset="tls-private-key")
    await_renewal(estate, after)


def test_expired_certificates_are_replaced(estate: localjuju.Juju, write: Write) -> None:
    """Nobody can connect any more then, and those that are connected stay so."""
    lasting, fresh = write(), write(lasts=False)
    estate.config("certificates", {"life": 12})
    start = time.monotonic()
    estate.run("certificates/0", "renew")
    estate.settle(240)
    time.sleep(max(0.0, start + 12.5 - time.monotonic()))
    update_status(estate)
    short = shown(estate)
    for unit in units(estate):
        assert message_of(estate, unit).startswith("blocked Certificate expired on")
    failed = fresh.errors
    estate.config("certificates", reset="life")
    estate.run("certificates/0", "renew")
    await_renewal(estate, short)
    assert failed > 0
    assert lasting.errors == 0
    assert lost(estate, lasting, fresh) == 0
    for unit in units(estate):
        assert message_of(estate, unit).startswith("active")
    assert failed_hooks(estate) == []
