"""Processes and machines die, and nothing that was acknowledged is lost or said wrongly."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence

import pytest
import valkey

import localjuju

from ..conftest import failed_hooks
from ..operated import OPERATOR, PORT, SENTINEL_PORT, admin, units
from ..writer import Writer
from .conftest import access_of, await_primary, primary_of, send, tick
from .invariants import invariants

pytestmark = pytest.mark.faults

Write = Callable[[localjuju.Juju], Writer]


@pytest.mark.parametrize("service", ["server", "sentinel"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_process_is_killed(
    estate: localjuju.Juju, write: Write, service: str, number: int
) -> None:
    """The primary's server or Sentinel, or a replica's."""
    writer = write(estate)
    send(estate, f"{OPERATOR}/{number}", service, signal.SIGKILL)
    tick(estate)
    writer.await_writes()
    invariants(estate, writer)
    assert failed_hooks(estate) == []


def test_a_primary_that_hangs_and_comes_back(estate: localjuju.Juju, write: Write) -> None:
    writer = write(estate)
    old = primary_of(estate)
    send(estate, old, "server", signal.SIGSTOP)
    try:
        await_primary(estate, other_than=old)
        writer.await_writes()
    finally:
        send(estate, old, "server", signal.SIGCONT)
    tick(estate)
    invariants(estate, writer)
    tick(estate)
    assert failed_hooks(estate) == []


def test_two_of_three_are_lost(estate: localjuju.Juju, write: Write) -> None:
    """No failover is possible any more; the status says whom to bring back."""
    writer = write(estate)
    estate.lose(f"{OPERATOR}/1")
    estate.lose(f"{OPERATOR}/2")
    estate.wait(lambda _: refuses_writes(estate, f"{OPERATOR}/0"))
    tick(estate)
    status = estate.status().apps[OPERATOR].app_status
    assert status.current == "blocked"
    assert status.message == (
        f"1 of 3 Sentinels answer: no automatic failover; bring back {OPERATOR}/1, {OPERATOR}/2"
    )
    for number in (1, 2):
        estate.recover(f"{OPERATOR}/{number}")
    writer.await_writes()
    invariants(estate, writer)
    assert estate.status().apps[OPERATOR].app_status.current == "active"
    assert failed_hooks(estate) == []


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
def test_everything_stops_and_starts_in_any_order(
    estate: localjuju.Juju, write: Write, order: Sequence[int]
) -> None:
    """After a failover, so that the first primary comes back with files that name itself."""
    writer = write(estate)
    estate.lose(f"{OPERATOR}/0")
    await_primary(estate, other_than=f"{OPERATOR}/0")
    writer.await_writes()
    # A primary whose replicas have just gone still takes writes, for as long as max-lag; when it
    # goes too and another is promoted, those are lost.
    writer.stop()
    for number in (1, 2):
        estate.lose(f"{OPERATOR}/{number}")
    for number in order:
        estate.recover(f"{OPERATOR}/{number}")
        estate.settle(120)
    invariants(estate, writer)
    write(estate)
    assert primary_of(estate) != f"{OPERATOR}/0"


def test_nobody_knows_of_the_last_failover_but_those_who_are_still_away(
    estate: localjuju.Juju, write: Write
) -> None:
    """The first primary comes back alone, and no databag names another: it does not serve.

    If it did, as a primary of old, it could be promoted when the second unit is back.
    """
    writer = write(estate)
    estate.clear_leader(OPERATOR)
    estate.lose(f"{OPERATOR}/0")
    writer.await_writes(50)
    assert primary_of(estate) == f"{OPERATOR}/0", "no leader has seen it"
    estate.clear_leader(OPERATOR)
    writer.stop()  # As above.
    for number in (1, 2):
        estate.lose(f"{OPERATOR}/{number}")
    estate.recover(f"{OPERATOR}/0")
    estate.settle(120)
    status = estate.status().apps[OPERATOR].units[f"{OPERATOR}/0"].workload_status
    assert status.current == "waiting"
    assert status.message == "the server waits for units that know who is primary now"
    for number in (1, 2):
        estate.recover(f"{OPERATOR}/{number}")
    invariants(estate, writer)
    assert primary_of(estate) != f"{OPERATOR}/0"
    write(estate)


def test_a_server_that_comes_back_follows_whom_sentinels_name(estate: localjuju.Juju) -> None:
    """Its own files name itself, and its Sentinel is away with it."""
    estate.lose(f"{OPERATOR}/0")
    new = await_primary(estate, other_than=f"{OPERATOR}/0")
    folder = estate.directory / f"agents/unit-{OPERATOR}-0/valkey"
    before = (folder / "sentinel.conf").read_text()
    address = estate.address(f"{OPERATOR}/0")
    assert f"sentinel monitor primary {address} " in before
    estate.recover(f"{OPERATOR}/0")
    estate.settle(120)
    conf = (folder / "valkey.conf").read_text()
    assert f"replicaof {estate.address(new)} {PORT}" in conf
    assert "replica-priority 0" in conf
    with admin(estate, address, PORT) as server:
        assert server.execute_command("ROLE")[0] == "slave"
    with admin(estate, address, SENTINEL_PORT) as sentinel:
        said = sentinel.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", "primary")
    assert said[0] == estate.address(new)
    invariants(estate)


def test_a_sentinel_that_watches_who_is_gone_starts_anew(estate: localjuju.Juju) -> None:
    """As one does that began while the primary was leaving: nobody else can tell it."""
    estate.run(f"{OPERATOR}/leader", "switchover")
    invariants(estate)
    late = next(unit for unit in units(estate) if unit != primary_of(estate))
    address = estate.address(late)
    gone = address.rpartition(".")[0] + ".250"
    with admin(estate, address, PORT) as server:
        server.execute_command("REPLICAOF", gone, PORT)
    with admin(estate, address, SENTINEL_PORT) as sentinel:
        sentinel.execute_command("SENTINEL REMOVE", "primary")
        for other in {estate.address(unit) for unit in units(estate)} - {address}:
            with admin(estate, other, SENTINEL_PORT) as knowing:
                knowing.execute_command("SENTINEL RESET", "primary")
        sentinel.execute_command("SENTINEL MONITOR", "primary", gone, PORT, 2)
    tick(estate)
    invariants(estate)
    assert failed_hooks(estate) == []
