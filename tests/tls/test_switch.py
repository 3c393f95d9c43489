"""TLS goes and comes back while applications write."""

from __future__ import annotations

import pytest

import localjuju

from ..conftest import failed_hooks, told
from ..operated import OPERATOR, PORT, SENTINEL_PORT, units
from .conftest import Write
from .estate import access_of, files_of, is_refused, lost, settle

pytestmark = [pytest.mark.tls, pytest.mark.timeout(600)]


def heard(juju: localjuju.Juju) -> list[list[tuple[str, bool]]]:
    """What each requirer heard, with the TLS that it was told in it."""
    return [[(e["event"], e["tls"]) for e in told(juju, f"{wire}/0")] for wire in ("v0", "v1")]


def test_off_and_on_again(estate: localjuju.Juju, write: Write) -> None:
    """Requirers hear of it in one event, when there is nothing else left to connect to."""
    ca = access_of(estate).tls_ca
    lasting, fresh = write(), write(lasts=False)
    for on in (False, True):
        before = heard(estate)
        if on:
            estate.integrate(OPERATOR, "certificates")
        else:
            estate.remove_relation(OPERATOR, "certificates")
        settle(estate, tls=on)
        for unit in units(estate):
            for port in (PORT, SENTINEL_PORT):
                assert is_refused(estate, unit, port, "" if on else ca)
        assert heard(estate) == [[*events, ("changed", on)] for events in before]
        assert estate.run("greeter/0", "greet", {"name": "you"}).success
        fresh.await_writes()
    assert lasting.errors == 0
    assert lost(estate, lasting, fresh) == 0
    assert failed_hooks(estate) == []


def test_nothing_is_kept_of_it(estate: localjuju.Juju) -> None:
    """When TLS is off no unit has a key any more."""
    estate.remove_relation(OPERATOR, "certificates")
    settle(estate, tls=False)
    assert files_of(estate, "tls-*") == []
    estate.integrate(OPERATOR, "certificates")
    settle(estate, tls=True)
    assert len(files_of(estate, "tls-*.key")) == len(units(estate))
