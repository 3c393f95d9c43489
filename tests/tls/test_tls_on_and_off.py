"""TLS goes and comes back while applications write."""

from __future__ import annotations

import pytest

import localjuju

from ..conftest import failed_hooks, logged_events
from ..operator_model import OPERATOR, PORT, SENTINEL_PORT, access_of, units
from .conftest import Write
from .testbed import files_of, is_refused, lost, settle

pytestmark = [pytest.mark.tls]


def heard(juju: localjuju.Juju) -> list[list[tuple[str, bool]]]:
    """What each requirer heard, with the TLS that it was told in it."""
    return [
        [(e["event"], e["tls"]) for e in logged_events(juju, f"{wire}/0")] for wire in ("v0", "v1")
    ]


def test_turning_tls_off_and_on_loses_no_writes(testbed: localjuju.Juju, write: Write) -> None:
    """Requirers hear of it in one event, when there is nothing else left to connect to."""
    ca = access_of(testbed).tls_ca
    lasting, fresh = write(), write(lasts=False)
    for on in (False, True):
        before = heard(testbed)
        if on:
            testbed.integrate(OPERATOR, "certificates")
        else:
            testbed.remove_relation(OPERATOR, "certificates")
        settle(testbed, tls=on)
        for unit in units(testbed):
            for port in (PORT, SENTINEL_PORT):
                assert is_refused(testbed, unit, port, "" if on else ca)
        assert heard(testbed) == [[*events, ("changed", on)] for events in before]
        assert testbed.run("greeter/0", "greet", {"name": "you"}).success
        fresh.await_writes()
    assert lasting.errors == 0
    assert lost(testbed, lasting, fresh) == 0
    assert failed_hooks(testbed) == []


def test_turning_tls_off_deletes_every_key(testbed: localjuju.Juju) -> None:
    """When TLS is off no unit has a key any more."""
    testbed.remove_relation(OPERATOR, "certificates")
    settle(testbed, tls=False)
    assert files_of(testbed, "tls-*") == []
    testbed.integrate(OPERATOR, "certificates")
    settle(testbed, tls=True)
    assert len(files_of(testbed, "tls-*.key")) == len(units(testbed))
