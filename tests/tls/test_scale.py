"""Units come and go under TLS while applications write."""

from __future__ import annotations

import pytest
import valkey

import localjuju
from valkey_client.messages import format_endpoints

from ..conftest import failed_hooks, told
from ..operated import OPERATOR, PORT, SENTINEL_PORT, admin, units
from .conftest import Write
from .estate import access_of, is_refused, lost, message_of, settle, shown

pytestmark = [pytest.mark.tls, pytest.mark.timeout(600)]

WIRES = ("v0", "v1")


def primary_of(juju: localjuju.Juju) -> str:
    host = access_of(juju).endpoints[0].host
    return next(unit for unit in units(juju) if juju.address(unit) == host)


def check_endpoints(juju: localjuju.Juju) -> None:
    """Every requirer is told all units, and every address takes its account over TLS."""
    primary = juju.address(primary_of(juju))
    addresses = {juju.address(unit) for unit in units(juju)}
    for wire in WIRES:
        access = access_of(juju, wire)
        assert access.tls
        assert format_endpoints(access.endpoints) == f"{primary}:{PORT}"
        assert told(juju, f"{wire}/0")[-1]["endpoints"] == f"{primary}:{PORT}"
        replicas = {f"{address}:{PORT}" for address in addresses - {primary}}
        assert set(map(str, access.read_only_endpoints)) == replicas
        sentinels = {f"{address}:{SENTINEL_PORT}" for address in addresses}
        assert set(map(str, access.sentinel_endpoints)) == sentinels
        for node in (*access.endpoints, *access.read_only_endpoints, *access.sentinel_endpoints):
            with valkey.Valkey(
                node.host,
                node.port,
                username=access.username,
                password=access.password,
                ssl=True,
                ssl_ca_data=access.tls_ca,
                ssl_check_hostname=True,
            ) as connection:
                assert connection.ping()


def test_units_come_and_the_primary_goes(estate: localjuju.Juju, write: Write) -> None:
    before, ca = shown(estate), access_of(estate).tls_ca
    lasting, fresh = write(), write(lasts=False)
    old = set(units(estate))
    estate.add_unit(OPERATOR, num_units=2)
    settle(estate, tls=True)
    new = sorted(set(units(estate)) - old)
    assert len(new) == 2
    after = shown(estate)
    assert {node: after[node] for node in before} == before
    # Each has a certificate of its own.
    assert len(set(after.values())) == len(units(estate)) == 5
    for unit in units(estate):
        assert message_of(estate, unit).startswith("active")
        with admin(estate, estate.address(unit), PORT, ca) as server:
            assert server.config_get("replica-priority") == {"replica-priority": "100"}
        assert all(is_refused(estate, unit, port, "") for port in (PORT, SENTINEL_PORT))
    check_endpoints(estate)
    assert (lasting.errors, fresh.errors) == (0, 0)

    # One that has come is made the primary, and goes.
    estate.run(f"{OPERATOR}/leader", "switchover", {"unit": new[0]})
    settle(estate, tls=True)
    assert primary_of(estate) == new[0]
    check_endpoints(estate)
    estate.remove_unit(new[0])
    settle(estate, tls=True)
    assert len(units(estate)) == 4
    check_endpoints(estate)

    # The one that has led from the beginning goes too, whoever is the primary.
    leader = next(u for u, s in estate.status().apps[OPERATOR].units.items() if s.leader)
    estate.remove_unit(leader)
    settle(estate, tls=True)
    check_endpoints(estate)
    assert access_of(estate).tls_ca == ca
    assert lost(estate, lasting, fresh) == 0
    assert failed_hooks(estate) == []
