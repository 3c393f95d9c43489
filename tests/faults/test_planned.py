"""What the operator of the charm does on purpose loses nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
import valkey
from valkey.sentinel import Sentinel

import localjuju
from valkey_operator.switchover import COORDINATED

from ..conftest import ROOT, failed_hooks
from ..writer import Writer
from .conftest import access_of, pid_of, primary_of
from .invariants import OPERATOR, PORT, admin, invariants

pytestmark = pytest.mark.faults

Write = Callable[[localjuju.Juju], Writer]


def threads(juju: localjuju.Juju) -> set[str]:
    """What the servers that run now were started with."""
    found: set[str] = set()
    for unit in juju.status().apps[OPERATOR].units:
        with (
            contextlib.suppress(valkey.ConnectionError),
            admin(juju, juju.address(unit), PORT) as server,
        ):
            found.add(server.config_get("io-threads")["io-threads"])
    return found


def test_a_setting_that_needs_a_restart_takes_one_unit_after_the_other(
    estate: localjuju.Juju, write: Write
) -> None:
    """Replicas first; the primary when a switchover has made it one."""
    before = {n: pid_of(estate, f"{OPERATOR}/{n}") for n in range(3)}
    old = primary_of(estate)
    writer = write(estate)
    estate.config(OPERATOR, {"io-threads": 2})
    estate.wait(
        lambda _: all(pid_of(estate, f"{OPERATOR}/{n}") != pid for n, pid in before.items()),
        timeout=120,
    )
    writer.await_writes()
    invariants(estate, writer)
    assert threads(estate) == {"2"}
    assert primary_of(estate) != old
    restarted = [
        entry.subject
        for entry in estate.timeline.entries("databag")
        if "needs-restart removed" in entry.text
    ]
    assert sorted(restarted) == [f"{OPERATOR}/{n}" for n in range(3)]
    assert restarted[-1] == old
    assert failed_hooks(estate) == []


def test_a_refresh_restarts_nothing_that_can_stay(estate: localjuju.Juju, write: Write) -> None:
    before = {n: pid_of(estate, f"{OPERATOR}/{n}") for n in range(3)}
    writer = write(estate)
    estate.refresh(OPERATOR)
    invariants(estate, writer)
    assert {n: pid_of(estate, f"{OPERATOR}/{n}") for n in range(3)} == before
    assert writer.errors == 0
    assert failed_hooks(estate) == []


def test_a_refresh_to_other_files_restarts_one_unit_after_the_other(
    estate: localjuju.Juju, write: Write
) -> None:
    """Servers that a release before this one started: their files differ."""
    before = {n: pid_of(estate, f"{OPERATOR}/{n}") for n in range(3)}
    writer = write(estate)
    for number in range(3):
        folder = estate.directory / f"agents/unit-{OPERATOR}-{number}/valkey"
        (folder / "started-with").write_text("something else")
    estate.refresh(OPERATOR, path=ROOT)
    estate.wait(
        lambda _: all(pid_of(estate, f"{OPERATOR}/{n}") != pid for n, pid in before.items()),
        timeout=120,
    )
    invariants(estate, writer)
    assert failed_hooks(estate) == []


def test_a_switchover_keeps_no_client_of_valkey_py_waiting(estate: localjuju.Juju) -> None:
    """One asks the first Sentinel for the primary; the one that led would still name the old.

    With a coordinated failover the servers change a second before any Sentinel says so.
    """
    access = access_of(estate)
    is_coordinated = tuple(map(int, access.version.split("."))) >= COORDINATED
    login: dict[str, Any] = {"username": access.username, "password": access.password}
    sentinel = Sentinel(
        [(e.host, e.port) for e in access.sentinel_endpoints], sentinel_kwargs=login, **login
    )
    errors: list[Exception] = []
    written: list[str] = []
    with sentinel.master_for("primary", socket_timeout=1) as connection:
        task = Thread(target=lambda: estate.run(f"{OPERATOR}/leader", "switchover"))
        task.start()
        while task.is_alive():
            key = f"application:{len(written)}"
            try:
                connection.set(key, "x")
            except valkey.ValkeyError as error:
                errors.append(error)
            else:
                written.append(key)
        task.join()
        assert connection.exists(*written) == len(written) > 100
    assert len(errors) <= (500 if is_coordinated else 2)
    invariants(estate)


@pytest.mark.parametrize("removed", ["0", "1 2", "0 1", "2"])
def test_units_are_removed(estate: localjuju.Juju, write: Write, removed: str) -> None:
    """Of three: the primary that leads, both replicas, the leader and its likely successor."""
    writer = write(estate)
    estate.remove_unit(*(f"{OPERATOR}/{number}" for number in removed.split()))
    left = 3 - len(removed.split())
    estate.wait(lambda status: len(status.apps[OPERATOR].units) == left, timeout=120)
    writer.await_writes()
    invariants(estate, writer)
    assert failed_hooks(estate) == []
