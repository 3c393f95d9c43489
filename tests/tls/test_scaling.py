"""Units come and go under TLS while applications write."""

from __future__ import annotations

import pytest
import valkey

import localjuju
from valkey_client.messages import format_endpoints

from ..conftest import failed_hooks, logged_events
from ..operator_model import (
    OPERATOR,
    PORT,
    SENTINEL_PORT,
    access_of,
    addresses_of,
    admin,
    primary_of,
    units,
)
from .conftest import Write
from .testbed import is_refused, lost, message_of, serial_numbers, settle

pytestmark = [pytest.mark.tls]

WIRES = ("v0", "v1")


def check_endpoints(juju: localjuju.Juju) -> None:
    """Every requirer is told all units, and every address takes its account over TLS."""
    primary = juju.address(primary_of(juju))
    addresses = {*addresses_of(juju).values()}
    for wire in WIRES:
        access = access_of(juju, wire)
        assert access.tls
        assert format_endpoints(access.endpoints) == f"{primary}:{PORT}"
        assert logged_events(juju, f"{wire}/0")[-1]["endpoints"] == f"{primary}:{PORT}"
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


def test_adding_units_and_removing_the_primary_under_tls(
    testbed: localjuju.Juju, write: Write
) -> None:
    before, ca = serial_numbers(testbed), access_of(testbed).tls_ca
    lasting, fresh = write(), write(lasts=False)
    old = set(units(testbed))
    testbed.add_unit(OPERATOR, num_units=2)
    settle(testbed, tls=True)
    new = sorted(set(units(testbed)) - old)
    assert len(new) == 2
    after = serial_numbers(testbed)
    assert {node: after[node] for node in before} == before
    # Each has a certificate of its own.
    assert len(set(after.values())) == len(units(testbed)) == 5
    for unit in units(testbed):
        assert message_of(testbed, unit).startswith("active")
        with admin(testbed, testbed.address(unit), PORT, ca) as server:
            assert server.config_get("replica-priority") == {"replica-priority": "100"}
        assert all(is_refused(testbed, unit, port, "") for port in (PORT, SENTINEL_PORT))
    check_endpoints(testbed)
    assert (lasting.errors, fresh.errors) == (0, 0)

    # One that has come is made the primary, and goes.
    testbed.run(f"{OPERATOR}/leader", "switchover", {"unit": new[0]})
    settle(testbed, tls=True)
    assert primary_of(testbed) == new[0]
    check_endpoints(testbed)
    testbed.remove_unit(new[0])
    settle(testbed, tls=True)
    assert len(units(testbed)) == 4
    check_endpoints(testbed)

    # The one that has led from the beginning goes too, whoever is the primary.
    testbed.remove_unit(testbed.leader(OPERATOR))
    settle(testbed, tls=True)
    check_endpoints(testbed)
    assert access_of(testbed).tls_ca == ca
    assert lost(testbed, lasting, fresh) == 0
    assert failed_hooks(testbed) == []
