"""TLS comes and goes while applications write."""

from __future__ import annotations

import pytest

import localjuju

from ..conftest import CHARMS, failed_hooks, told
from .conftest import MakeEstate, Write
from .estate import OPERATOR, PORT, SENTINEL_PORT, is_refused, lost, settle, units_of

pytestmark = pytest.mark.tls


@pytest.fixture
def requirers(make_estate: MakeEstate) -> localjuju.Juju:
    """One that speaks v1 and one that speaks v0."""
    juju = make_estate()
    for wire in ("v0", "v1"):
        app = f"scripted-{wire}"
        juju.deploy(
            CHARMS / "scripted_requirer", app, config={"wire": wire, "prefix": f"{wire}:*"}
        )
        juju.integrate(OPERATOR, app)
    juju.settle()
    return juju


def changes(juju: localjuju.Juju) -> dict[str, list[tuple[str, bool]]]:
    """Each event that the requirers heard, with the TLS that they were told in it."""
    return {
        wire: [(e["event"], e["tls"]) for e in told(juju, f"scripted-{wire}/0")]
        for wire in ("v0", "v1")
    }


def test_on_off_and_on_again(requirers: localjuju.Juju, write: Write) -> None:
    juju = requirers
    writer = write(juju)
    expected = [("ready", False)]
    for on in (True, False, True):
        if on:
            juju.integrate(OPERATOR, "certificates")
        else:
            juju.remove_relation(OPERATOR, "certificates")
        access = settle(juju, tls=on)
        writer.await_writes()
        for unit in units_of(juju):
            other = access.tls_ca if not on else ""
            assert on is False or is_refused(juju, unit, PORT, other)
            assert on is False or is_refused(juju, unit, SENTINEL_PORT, other)
        expected.append(("changed", on))
        assert changes(juju) == {"v0": expected, "v1": expected}
        assert juju.run("greeter/0", "greet", {"name": "you"}).success
    writer.stop()
    assert lost(juju, writer) == 0
    print(f"{writer.acknowledged} writes, {writer.errors} failed, gap {writer.longest_gap:.2f} s")
    assert failed_hooks(juju) == []
