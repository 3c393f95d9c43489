"""Somebody breaks a part by hand, and the status says so or the charm mends it."""

from __future__ import annotations

import pytest

import localjuju

from ..conftest import failed_hooks
from ..operator_model import (
    OPERATOR,
    PORT,
    SENTINEL_PORT,
    addresses_of,
    admin,
    primary_of,
    update_status,
)
from ..waits import until
from .conftest import MakeTestbed
from .invariants import invariants

pytestmark = [pytest.mark.faults, pytest.mark.field]


@pytest.fixture
def testbed(shared_testbed: localjuju.Juju) -> localjuju.Juju:
    return shared_testbed


def application_status(juju: localjuju.Juju) -> tuple[str, str]:
    status = juju.status().apps[OPERATOR].app_status
    return status.current, status.message


@pytest.mark.parametrize("numbers", [(1,), (0, 1, 2)], ids=["one", "all"])
def test_a_sentinel_that_was_made_to_forget_the_primary_monitors_it_again(
    testbed: localjuju.Juju, numbers: tuple[int, ...]
) -> None:
    for number in numbers:
        address = testbed.address(f"{OPERATOR}/{number}")
        with admin(testbed, address, SENTINEL_PORT) as sentinel:
            sentinel.execute_command("SENTINEL REMOVE", "primary")
    update_status(testbed)
    invariants(testbed)
    update_status(testbed)
    assert application_status(testbed)[0] == "active"
    assert failed_hooks(testbed) == []


def test_replicas_that_cannot_sync_are_reported(make_testbed: MakeTestbed) -> None:
    juju = make_testbed()
    primary = primary_of(juju)
    address = juju.address(primary)
    others = [unit for unit in addresses_of(juju) if unit != primary]
    with admin(juju, address, PORT) as server:
        server.execute_command("ACL SETUSER", "charm-replication", "resetpass", ">wrong")
        server.execute_command("CLIENT KILL", "TYPE", "replica")

    def replicas() -> list[str]:
        with admin(juju, address, PORT) as server:
            return server.execute_command("ROLE")[2]

    until(replicas, lambda connected: not connected, what="no replica is connected")
    update_status(juju)
    current, message = application_status(juju)
    assert current == "blocked"
    assert message.startswith(f"Writes are refused: no replica is in sync with {primary}; ")
    assert all(f"{unit} is not in sync with the primary" in message for unit in others)
    assert failed_hooks(juju) == []
