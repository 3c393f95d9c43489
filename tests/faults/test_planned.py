"""What the operator of the charm does on purpose loses nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

import pytest
import valkey
from valkey.exceptions import ReadOnlyError
from valkey.sentinel import Sentinel

import localjuju
from valkey_client import client

from ..conftest import ROOT, failed_hooks
from ..operated import OPERATOR, PORT, admin
from ..writer import Writer
from .conftest import MakeEstate, access_of, await_primary, pid_of, primary_of, send, tick
from .invariants import invariants

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
    # Who comes back too early is told so at once: the primary is none any more, or not yet.
    waited = [
        error
        for error in errors
        if not isinstance(error, ReadOnlyError) and not str(error).startswith("NOREPLICAS ")
    ]
    assert len(waited) <= 2, waited
    invariants(estate)


@pytest.mark.parametrize("fault", [signal.SIGSTOP, signal.SIGKILL])
def test_a_sentinel_that_falls_silent_costs_a_switchover_nothing(
    estate: localjuju.Juju, write: Write, fault: signal.Signals
) -> None:
    """It happens while writes are paused: they must not go on at the primary of old."""
    old = primary_of(estate)
    writer = write(estate)
    # The Sentinel of the last unit is asked to begin.
    log = estate.directory / f"agents/unit-{OPERATOR}-2/valkey/sentinel.log"
    begun = log.read_text().count("+try-failover")
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(estate.run, f"{OPERATOR}/leader", "switchover")
        while log.read_text().count("+try-failover") == begun:
            assert not task.done()
        process = pid_of(estate, f"{OPERATOR}/0", "sentinel")
        os.kill(process, fault)
        time.sleep(2.5)  # More than a Sentinel is given to answer one question.
        if fault == signal.SIGSTOP:
            os.kill(process, signal.SIGCONT)
        assert task.result().status == "completed"
    tick(estate)
    writer.await_writes()
    invariants(estate, writer)
    assert primary_of(estate) != old


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


def runs(juju: localjuju.Juju, unit: str, hook: str) -> bool:
    """Whether a unit runs a hook now; not, if the unit has gone."""
    now = juju.snapshot().unit(unit)
    return now is not None and now.running is not None and now.running.hook == hook


def test_a_primary_that_is_busy_is_removed(estate: localjuju.Juju, write: Write) -> None:
    """It hands over as soon as it answers again, long before Sentinels would take it for down."""
    estate.config(OPERATOR, {"down-after": 120})
    invariants(estate)
    old = primary_of(estate)
    writer = write(estate)
    send(estate, old, "server", signal.SIGSTOP)
    estate.remove_unit(old)
    estate.wait(lambda _: runs(estate, old, "stop"), timeout=60)
    time.sleep(3)  # More than a server is given to answer one question.
    send(estate, old, "server", signal.SIGCONT)
    await_primary(estate, other_than=old, timeout=60)
    writer.await_writes()
    invariants(estate, writer)
    assert failed_hooks(estate) == []


def test_a_primary_that_runs_a_long_script_is_removed(
    make_estate: MakeEstate, write: Write
) -> None:
    """Its stop hook fails until it can hand over; the last unit does not take it for gone."""
    estate = make_estate(2)
    estate.config(OPERATOR, {"down-after": 120})
    invariants(estate)
    old = primary_of(estate)
    writer = write(estate)
    script = "local s = os.clock() while os.clock() - s < 13 do end return 1"
    with (
        ThreadPoolExecutor() as pool,
        client.connect(access_of(estate), socket_timeout=60) as connection,
    ):
        asked = pool.submit(connection.eval, script, 0)
        time.sleep(2)  # More than a script may take before others are told that it does.
        estate.remove_unit(old)
        assert asked.result() == 1
        await_primary(estate, other_than=old, timeout=60)
    writer.await_writes()
    invariants(estate, writer)
