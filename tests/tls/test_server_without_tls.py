"""A server that was built without TLS, with a provider of certificates all the same."""

from __future__ import annotations

import os
from collections.abc import Generator

import jubilant
import pytest

import localjuju

from ..conftest import CHARMS, ROOT, TIMELINES, failed_hooks, logged_events
from ..operator_model import DOWN_AFTER, OPERATOR, access_of, units
from ..waits import PatientJuju
from ..writer import Writer
from .conftest import find_all
from .testbed import files_of, lost, message_of, settle

pytestmark = [pytest.mark.tls]

REASON = "valkey-server was built without TLS: install one with TLS, or remove the relation with"


@pytest.fixture
def plain(request: pytest.FixtureRequest) -> Generator[localjuju.Juju]:
    """Three units on the newest server without TLS, with an application that speaks v0 too."""
    servers = [binary for binary in find_all() if not binary.has_tls]
    if not servers and "CI" not in os.environ:
        pytest.skip("every server of this machine has TLS")
    newest = max(servers, key=lambda binary: binary.version)
    with PatientJuju(environment=newest.environment()) as juju:
        request.node.stash.setdefault(TIMELINES, []).append(juju.timeline)
        juju.deploy(ROOT, OPERATOR, num_units=3, config={"down-after": DOWN_AFTER})
        juju.deploy(ROOT / "examples" / "certificates", "certificates")
        juju.deploy(ROOT / "examples" / "greeter", "greeter")
        juju.deploy(CHARMS / "scripted_requirer", "v0", config={"wire": "v0", "prefix": "v0:*"})
        juju.integrate(OPERATOR, "greeter")
        juju.integrate(OPERATOR, "v0")
        juju.settle()  # Cheaper than asking for the status all the time.
        juju.wait(jubilant.all_active)
        settle(juju, tls=False)
        yield juju


def test_server_without_tls_is_reported_and_stays_plain(plain: localjuju.Juju) -> None:
    juju = plain
    access, heard = access_of(juju), logged_events(juju, "v0/0")
    with (
        Writer(lambda: access_of(juju), pause=0.01) as lasting,
        Writer(lambda: access_of(juju), pause=0.05, lasts=False) as fresh,
    ):
        juju.integrate(OPERATOR, "certificates")
        settle(juju, tls=False)
        for unit in units(juju):
            assert message_of(juju, unit) == f"blocked {REASON} certificates"
        # What is not about TLS goes on, an application that comes now among it.
        juju.deploy(CHARMS / "scripted_requirer", "late", config={"prefix": "late:*"})
        juju.integrate(OPERATOR, "late")
        juju.add_unit(OPERATOR)
        settle(juju, tls=False)
        for unit in units(juju):
            assert message_of(juju, unit) == f"blocked {REASON} certificates"
        assert not access_of(juju, "late").tls
        juju.remove_unit(f"{OPERATOR}/3")
        settle(juju, tls=False)
        juju.remove_relation(OPERATOR, "certificates")
        settle(juju, tls=False)
        for unit in units(juju):
            assert message_of(juju, unit).startswith("active")
        assert (lasting.errors, fresh.errors) == (0, 0)
        assert lost(juju, lasting, fresh) == 0
    assert access_of(juju) == access
    assert not any(event["tls"] for event in logged_events(juju, "v0/0")[len(heard) :])
    assert files_of(juju, "tls-*") == []
    assert failed_hooks(juju) == []
