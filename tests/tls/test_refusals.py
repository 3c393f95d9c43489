"""A certificate that cannot be used is refused with a reason, and nothing else changes."""

from __future__ import annotations

import pytest

import localjuju

from ..conftest import failed_hooks
from .conftest import Write
from .estate import access_of, lost, message_of, settle, shown, units_of

pytestmark = [pytest.mark.tls, pytest.mark.timeout(600)]

REASONS = {
    "no-client-auth": "it may not be used for clientAuth, and replication and Sentinel need both",
    "wrong-ca": "it was not signed by the CA that came with it",
    "wrong-key": "it does not belong to this unit's private key",
}


def test_what_was_before_goes_on(estate: localjuju.Juju, write: Write) -> None:
    before, access = shown(estate), access_of(estate)
    lasting, fresh = write(), write(lasts=False)
    for fault, reason in REASONS.items():
        estate.config("certificates", {"fault": fault})
        estate.run("certificates/0", "renew")
        settle(estate, tls=True)
        for unit in units_of(estate):
            said = message_of(estate, unit)
            assert said.startswith(f"blocked relation certificates: the certificate for {unit}")
            assert reason in said
        assert shown(estate) == before
        assert access_of(estate) == access
    estate.config("certificates", reset="fault")
    estate.run("certificates/0", "renew")
    settle(estate, tls=True)
    for unit in units_of(estate):
        assert message_of(estate, unit).startswith("active")
    assert (lasting.errors, fresh.errors) == (0, 0)
    assert lost(estate, lasting, fresh) == 0
    assert failed_hooks(estate) == []
