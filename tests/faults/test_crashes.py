"""Processes and machines die, and nothing that was acknowledged is lost or said wrongly."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence

import pytest
import valkey

import localjuju

from ..conftest import failed_hooks
from ..operator_model import (
    OPERATOR,
    PORT,
    SENTINEL_PORT,
    access_of,
    addresses_of,
    admin,
    await_primary,
    folder_of,
    primary_of,
    send,
    update_status,
)
from ..waits import until
from ..writer import Writer
from .invariants import invariants

pytestmark = pytest.mark.faults

Write = Callable[[localjuju.Juju], Writer]


@pytest.fixture
def testbed(shared_testbed: localjuju.Juju) -> localjuju.Juju:
    return shared_testbed


@pytest.mark.parametrize("service", ["server", "sentinel"])
@pytest.mark.parametrize("number", [0, 1])
def test_killed_process_is_restarted_without_lost_writes(
    testbed: localjuju.Juju, write: Write, service: str, number: int
) -> None:
    """The primary's server or Sentinel, or a replica's."""
    writer = write(testbed)
    send(testbed, f"{OPERATOR}/{number}", service, signal.SIGKILL)
    update_status(testbed)
    writer.await_writes()
    invariants(testbed, writer)
    assert failed_hooks(testbed) == []


def test_frozen_primary_returns_as_a_replica(testbed: localjuju.Juju, write: Write) -> None:
    writer = write(testbed)
    old = primary_of(testbed)
    send(testbed, old, "server", signal.SIGSTOP)
    try:
        await_primary(testbed, other_than=old)
        writer.await_writes()
    finally:
        send(testbed, old, "server", signal.SIGCONT)
    update_status(testbed)
    invariants(testbed, writer)
    update_status(testbed)
    assert failed_hooks(testbed) == []


def test_losing_two_of_three_units_blocks_until_they_return(
    testbed: localjuju.Juju, write: Write
) -> None:
    """No failover is possible any more; the status says whom to bring back."""
    writer = write(testbed)
    testbed.lose(f"{OPERATOR}/1")
    testbed.lose(f"{OPERATOR}/2")
    until(lambda: refuses_writes(testbed, f"{OPERATOR}/0"), what="the last unit refuses writes")
    update_status(testbed)
    status = testbed.status().apps[OPERATOR].app_status
    assert status.current == "blocked"
    assert status.message == (
        f"1 of 3 Sentinels answer: no automatic failover; bring back {OPERATOR}/1, {OPERATOR}/2"
    )
    for number in (1, 2):
        testbed.recover(f"{OPERATOR}/{number}")
    writer.await_writes()
    invariants(testbed, writer)
    assert testbed.status().apps[OPERATOR].app_status.current == "active"
    assert failed_hooks(testbed) == []


def refuses_writes(juju: localjuju.Juju, unit: str) -> bool:
    access = access_of(juju)
    try:
        with valkey.Valkey(
            juju.address(unit), username=access.username, password=access.password
        ) as connection:
            connection.set("application:probe", "x")
    except valkey.ResponseError as error:
        return str(error).startswith(("NOREPLICAS", "READONLY")) or "replicas" in str(error)
    except valkey.ConnectionError:
        return True
    return False


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_full_outage_recovers_in_any_order(
    testbed: localjuju.Juju, write: Write, order: Sequence[int]
) -> None:
    """After a failover, so that the first primary comes back with files that name itself."""
    writer = write(testbed)
    testbed.lose(f"{OPERATOR}/0")
    await_primary(testbed, other_than=f"{OPERATOR}/0")
    writer.await_writes()
    # A primary whose replicas have just gone still takes writes, for as long as max-lag; when it
    # goes too and another is promoted, those are lost.
    writer.stop()
    for number in (1, 2):
        testbed.lose(f"{OPERATOR}/{number}")
    for number in order:
        testbed.recover(f"{OPERATOR}/{number}")
        testbed.settle()
    invariants(testbed, writer)
    write(testbed)
    assert primary_of(testbed) != f"{OPERATOR}/0"


def test_old_primary_waits_for_units_that_know_of_the_failover(
    testbed: localjuju.Juju, write: Write
) -> None:
    """The first primary comes back alone, and no databag names another: it does not serve.

    If it did, as a primary of old, it could be promoted when the second unit is back.
    """
    writer = write(testbed)
    testbed.clear_leader(OPERATOR)
    testbed.lose(f"{OPERATOR}/0")
    writer.await_writes(50)
    assert primary_of(testbed) == f"{OPERATOR}/0", "no leader has seen it"
    testbed.clear_leader(OPERATOR)
    writer.stop()  # As above.
    for number in (1, 2):
        testbed.lose(f"{OPERATOR}/{number}")
    testbed.recover(f"{OPERATOR}/0")
    testbed.settle()
    status = testbed.status().apps[OPERATOR].units[f"{OPERATOR}/0"].workload_status
    assert status.current == "waiting"
    assert status.message == "Waiting for a peer that knows the current primary"
    for number in (1, 2):
        testbed.recover(f"{OPERATOR}/{number}")
    invariants(testbed, writer)
    assert primary_of(testbed) != f"{OPERATOR}/0"
    write(testbed)


def test_returning_server_follows_the_primary_of_the_sentinels(testbed: localjuju.Juju) -> None:
    """Its own files name itself, and its Sentinel is away with it."""
    testbed.lose(f"{OPERATOR}/0")
    new = await_primary(testbed, other_than=f"{OPERATOR}/0")
    folder = folder_of(testbed, f"{OPERATOR}/0")
    before = (folder / "sentinel.conf").read_text()
    address = testbed.address(f"{OPERATOR}/0")
    assert f"sentinel monitor primary {address} " in before
    testbed.recover(f"{OPERATOR}/0")
    testbed.settle()
    conf = (folder / "valkey.conf").read_text()
    assert f"replicaof {testbed.address(new)} {PORT}" in conf
    assert "replica-priority 0" in conf
    with admin(testbed, address, PORT) as server:
        assert server.execute_command("ROLE")[0] == "slave"
    with admin(testbed, address, SENTINEL_PORT) as sentinel:
        primary = sentinel.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", "primary")
    assert primary[0] == testbed.address(new)
    invariants(testbed)


def test_sentinel_that_monitors_a_removed_unit_is_repaired(testbed: localjuju.Juju) -> None:
    """As one does that began while the primary was leaving: nobody else can tell it."""
    testbed.run(f"{OPERATOR}/leader", "switchover")
    invariants(testbed)
    addresses, primary = addresses_of(testbed), primary_of(testbed)
    address = next(address for unit, address in addresses.items() if unit != primary)
    gone = address.rpartition(".")[0] + ".250"
    with admin(testbed, address, PORT) as server:
        server.execute_command("REPLICAOF", gone, PORT)
    with admin(testbed, address, SENTINEL_PORT) as sentinel:
        sentinel.execute_command("SENTINEL REMOVE", "primary")
        for other in {*addresses.values()} - {address}:
            with admin(testbed, other, SENTINEL_PORT) as knowing:
                knowing.execute_command("SENTINEL RESET", "primary")
        sentinel.execute_command("SENTINEL MONITOR", "primary", gone, PORT, 2)
    update_status(testbed)
    invariants(testbed)
    assert failed_hooks(testbed) == []
