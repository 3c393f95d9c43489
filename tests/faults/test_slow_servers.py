"""Servers are slow when a hook looks at them, and no event follows: the unit looks again."""

from __future__ import annotations

import signal

import pytest

import localjuju

from ..conftest import CHARMS, failed_hooks
from ..operator_model import OPERATOR, access_of, folder_of, primary_of, send, units
from ..waits import until
from .invariants import invariants

pytestmark = [pytest.mark.faults, pytest.mark.field]


@pytest.fixture
def testbed(shared_testbed: localjuju.Juju) -> localjuju.Juju:
    return shared_testbed


def rechecks(juju: localjuju.Juju, begin: int) -> int:
    return sum("hooks/recheck" in e.text for e in juju.timeline.entries("hook")[begin:])


@pytest.mark.parametrize("service", ["server", "sentinel"])
def test_a_replica_that_was_silent_for_a_while_is_told_to_clients_again(
    testbed: localjuju.Juju, service: str
) -> None:
    replica = f"{OPERATOR}/1"
    before = access_of(testbed)
    send(testbed, replica, service, signal.SIGSTOP)
    try:
        testbed.update_status(f"{OPERATOR}/0")
        testbed.settle()
        assert access_of(testbed) != before
    finally:
        send(testbed, replica, service, signal.SIGCONT)
    until(lambda: access_of(testbed), lambda a: a == before, what="clients are told again")
    invariants(testbed)
    assert failed_hooks(testbed) == []


def test_a_client_that_comes_while_the_primary_is_silent_gets_access_without_another_event(
    testbed: localjuju.Juju,
) -> None:
    primary = primary_of(testbed)
    testbed.deploy(CHARMS / "scripted_requirer", "asker", config={"prefix": "asker:*"})
    testbed.settle()
    # For a shorter time than down-after, so that no failover makes an event.
    testbed.config(OPERATOR, {"down-after": 30})
    testbed.settle()
    send(testbed, primary, "server", signal.SIGSTOP)
    try:
        testbed.integrate(OPERATOR, "asker")
        testbed.settle()
    finally:
        send(testbed, primary, "server", signal.SIGCONT)
    access = until(lambda: access_of(testbed, "asker"), what="the application gets access")
    assert access.prefix == "asker:*"
    testbed.remove_application("asker")
    testbed.config(OPERATOR, reset="down-after")
    testbed.settle()
    invariants(testbed)
    assert failed_hooks(testbed) == []


def test_a_settled_deployment_looks_no_further(testbed: localjuju.Juju) -> None:
    begin = len(testbed.timeline.entries("hook"))
    for unit in units(testbed):
        testbed.update_status(unit)
    testbed.settle()
    for unit in units(testbed):
        assert not (folder_of(testbed, unit) / "recheck").exists()
    assert rechecks(testbed, begin) == 0
