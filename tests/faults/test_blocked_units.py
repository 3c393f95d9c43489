"""What a person has to see to stops one unit or one decision, and nothing else."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

import localjuju

from ..conftest import failed_hooks
from ..operator_model import (
    DOWN_AFTER,
    OPERATOR,
    PORT,
    SENTINEL_PORT,
    access_of,
    admin,
    await_primary,
    pid_of,
    primary_of,
    send,
    update_status,
)
from ..waits import until
from ..writer import Writer
from .invariants import invariants

pytestmark = pytest.mark.faults

Write = Callable[[localjuju.Juju], Writer]


def message_of(juju: localjuju.Juju, unit: str) -> str:
    """A unit's status and its message."""
    status = juju.status().apps[OPERATOR].units[unit].workload_status
    return f"{status.current}: {status.message}"


def accounts_on(juju: localjuju.Juju, unit: str, port: int) -> set[str]:
    """The accounts of clients on a server or Sentinel."""
    with admin(juju, juju.address(unit), port) as connection:
        return {name for name in connection.acl_users() if name.startswith("relation-")}


def named(sentinel: Any) -> str:
    """The address of the primary, according to a Sentinel."""
    return sentinel.execute_command("SENTINEL GET-PRIMARY-ADDR-BY-NAME", "primary")[0]


def test_leader_with_a_broken_server_manages_the_others(
    testbed: localjuju.Juju, write: Write
) -> None:
    """Its server does not start; its Sentinel votes, and accounts go with their relations."""
    leader, others = f"{OPERATOR}/0", [f"{OPERATOR}/1", f"{OPERATOR}/2"]
    writer = write(testbed)
    sentinel = pid_of(testbed, leader, "sentinel")
    for service in ("sentinel", "server"):
        send(testbed, leader, service, signal.SIGKILL)
    files = testbed.storage(leader, "data") / "appendonlydir"
    kept = files.rename(files.with_name("kept"))
    files.write_text("a file where a directory must be")
    with admin(testbed, testbed.address(others[0]), SENTINEL_PORT) as connection:
        until(
            lambda: named(connection),
            lambda address: address != testbed.address(leader),
            what="a Sentinel names another primary",
        )
    update_status(testbed)
    assert primary_of(testbed) in others
    message = message_of(testbed, leader)
    assert message.startswith(
        ("blocked: the server has ended: ", "blocked: Valkey does not start: ")
    )
    assert "appendonlydir" in message
    assert pid_of(testbed, leader, "sentinel") != sentinel
    writer.await_writes()

    testbed.remove_relation(OPERATOR, "greeter")
    testbed.settle()
    places = [(unit, port) for unit in others for port in (PORT, SENTINEL_PORT)]
    for unit, port in [*places, (leader, SENTINEL_PORT)]:
        assert accounts_on(testbed, unit, port) == set()

    files.unlink()
    kept.rename(files)
    testbed.integrate(OPERATOR, "greeter")
    update_status(testbed)
    invariants(testbed)
    assert message_of(testbed, leader).startswith("active")
    assert failed_hooks(testbed) == []


def test_invalid_option_does_not_stop_failover(testbed: localjuju.Juju, write: Write) -> None:
    """Nothing is set anew and nothing new is given, until it is corrected."""
    writer = write(testbed)
    testbed.config(OPERATOR, {"down-after": 0})
    testbed.settle()
    reason = "blocked: down-after must be a whole number from 1 to 300, not 0"
    assert message_of(testbed, f"{OPERATOR}/0") == reason
    old = primary_of(testbed)
    send(testbed, old, "server", signal.SIGKILL)
    new = await_primary(testbed, other_than=old)
    assert access_of(testbed).endpoints[0].host == testbed.address(new)
    writer.await_writes()
    assert message_of(testbed, new) == reason

    testbed.remove_relation(OPERATOR, "greeter")
    testbed.settle()
    testbed.integrate(OPERATOR, "greeter")
    testbed.settle()
    assert accounts_on(testbed, new, PORT) == set()
    (message,) = [
        unit.workload_status.message for unit in testbed.status().apps["greeter"].units.values()
    ]
    assert "the configuration of Valkey must be corrected" in message

    testbed.config(OPERATOR, {"down-after": DOWN_AFTER})
    update_status(testbed)
    invariants(testbed)
    assert message_of(testbed, new).startswith("active")
    assert failed_hooks(testbed) == []
