"""Somebody breaks a part by hand, and the status says so or the charm mends it."""

from __future__ import annotations

import json

import pytest

import localjuju

from ..conftest import CHARMS, failed_hooks
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


def test_a_refused_request_is_told_to_the_operator(testbed: localjuju.Juju) -> None:
    reason = "isolation=strict refuses asker"
    testbed.config(OPERATOR, {"isolation": "strict"})
    testbed.deploy(CHARMS / "scripted_requirer", "asker", config={"prefix": "application:*"})
    testbed.integrate(OPERATOR, "asker")
    testbed.settle()
    assert reason in application_status(testbed)[1]
    update_status(testbed)
    assert reason in application_status(testbed)[1], "as long as it is refused"
    (refused,) = json.loads(testbed.run(f"{OPERATOR}/0", "list-clients").results["refused"])
    assert refused["application"] == "asker"
    assert refused["reason"]
    testbed.remove_application("asker")
    testbed.config(OPERATOR, reset="isolation")
    testbed.settle()
    assert "refused" not in testbed.run(f"{OPERATOR}/0", "list-clients").results
    invariants(testbed)
    assert failed_hooks(testbed) == []


def test_replicas_that_cannot_sync_are_reported(make_testbed: MakeTestbed) -> None:
    juju = make_testbed()
    primary = primary_of(juju)
    address = juju.address(primary)
    others = [unit for unit in addresses_of(juju) if unit != primary]
    for unit in others:
        with admin(juju, juju.address(unit), PORT) as server:
            server.config_set("masterauth", "wrong")
    with admin(juju, address, PORT) as server:
        server.execute_command("CLIENT KILL", "TYPE", "replica")

    def replicas() -> list[str]:
        with admin(juju, address, PORT) as server:
            return server.execute_command("ROLE")[2]

    until(replicas, lambda connected: not connected, what="no replica is connected")
    juju.update_status(primary)  # The leader; the units of the replicas put them right later.
    juju.settle()
    current, message = application_status(juju)
    assert current == "blocked"
    assert message.startswith(f"Writes are refused: no replica is in sync with {primary}; ")
    assert all(f"{unit} is not in sync with the primary" in message for unit in others)
    assert failed_hooks(juju) == []
