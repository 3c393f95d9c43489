"""What a person has to see to stops one unit or one decision, and nothing else."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

import localjuju

from ..conftest import failed_hooks
from ..operated import OPERATOR, PORT, SENTINEL_PORT, admin
from ..writer import Writer
from .conftest import access_of, await_primary, pid_of, primary_of, send, tick
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
    """Whom a Sentinel takes for the primary."""
    return sentinel.execute_command("SENTINEL GET-PRIMARY-ADDR-BY-NAME", "primary")[0]


def test_a_leader_whose_server_does_not_start_serves_the_others(
    estate: localjuju.Juju, write: Write
) -> None:
    """Its data cannot be read; its Sentinel votes, and accounts go with their relations."""
    leader, others = f"{OPERATOR}/0", [f"{OPERATOR}/1", f"{OPERATOR}/2"]
    writer = write(estate)
    sentinel = pid_of(estate, leader, "sentinel")
    for service in ("sentinel", "server"):
        send(estate, leader, service, signal.SIGKILL)
    kept = {
        path: path.read_bytes()
        for path in estate.storage(leader, "data").rglob("*.aof")
        if path.stat().st_size
    }
    assert kept
    for path in kept:
        path.write_bytes(b"*1\r\nnot a command")
    with admin(estate, estate.address(others[0]), SENTINEL_PORT) as connection:
        estate.wait(lambda _: named(connection) != estate.address(leader))
    tick(estate)
    assert primary_of(estate) in others
    said = message_of(estate, leader)
    assert said.startswith(("blocked: the server has ended: ", "blocked: Valkey does not start: "))
    assert "append only file" in said
    assert pid_of(estate, leader, "sentinel") != sentinel
    writer.await_writes()

    estate.remove_relation(OPERATOR, "greeter")
    estate.settle()
    places = [(unit, port) for unit in others for port in (PORT, SENTINEL_PORT)]
    for unit, port in [*places, (leader, SENTINEL_PORT)]:
        assert accounts_on(estate, unit, port) == set()

    for path, content in kept.items():
        path.write_bytes(content)
    estate.integrate(OPERATOR, "greeter")
    tick(estate)
    invariants(estate)
    assert message_of(estate, leader).startswith("active")
    assert failed_hooks(estate) == []


def test_an_option_that_cannot_be_used_keeps_no_endpoint_from_moving(
    estate: localjuju.Juju, write: Write
) -> None:
    """Nothing is set anew and nothing new is given, until it is corrected."""
    writer = write(estate)
    estate.config(OPERATOR, {"down-after": 0})
    estate.settle()
    reason = "blocked: down-after must be a whole number from 1 to 300, not 0"
    assert message_of(estate, f"{OPERATOR}/0") == reason
    old = primary_of(estate)
    send(estate, old, "server", signal.SIGKILL)
    new = await_primary(estate, other_than=old)
    assert access_of(estate).endpoints[0].host == estate.address(new)
    writer.await_writes()
    assert message_of(estate, new) == reason

    estate.remove_relation(OPERATOR, "greeter")
    estate.settle()
    estate.integrate(OPERATOR, "greeter")
    estate.settle()
    assert accounts_on(estate, new, PORT) == set()
    (said,) = [
        unit.workload_status.message for unit in estate.status().apps["greeter"].units.values()
    ]
    assert "the configuration of Valkey must be corrected" in said

    estate.config(OPERATOR, {"down-after": 2})
    tick(estate)
    invariants(estate)
    assert message_of(estate, new).startswith("active")
    assert failed_hooks(estate) == []
