"""What the operator of the charm does on purpose loses nothing."""

from __future__ import annotations

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
from ..operator_model import (
    OPERATOR,
    PORT,
    access_of,
    addresses_of,
    admin,
    await_primary,
    folder_of,
    pid_of,
    primary_of,
    send,
    update_status,
)
from ..waits import DEADLINE, until
from ..writer import Writer
from .conftest import MakeTestbed
from .invariants import invariants

pytestmark = pytest.mark.faults

Write = Callable[[localjuju.Juju], Writer]


@pytest.fixture
def testbed(shared_testbed: localjuju.Juju) -> localjuju.Juju:
    return shared_testbed


def io_threads(juju: localjuju.Juju) -> set[str]:
    """What the servers were started with."""
    values: set[str] = set()
    for address in addresses_of(juju).values():
        with admin(juju, address, PORT) as server:
            values.add(server.config_get("io-threads")["io-threads"])
    return values


def processes(juju: localjuju.Juju) -> dict[int, int]:
    """The servers' processes, by number of their unit."""
    return {number: pid_of(juju, f"{OPERATOR}/{number}") for number in range(3)}


def await_restarts(juju: localjuju.Juju, before: dict[int, int]) -> None:
    """Wait until every server has been restarted."""
    until(
        lambda: [n for n, pid in processes(juju).items() if pid == before[n]],
        lambda running: not running,
        what="every server has been restarted",
    )


def test_setting_that_needs_a_restart_restarts_units_one_by_one(
    testbed: localjuju.Juju, write: Write
) -> None:
    """Replicas first; the primary when a switchover has made it one."""
    before, begin = processes(testbed), len(testbed.timeline.entries("databag"))
    old = primary_of(testbed)
    writer = write(testbed)
    testbed.config(OPERATOR, {"io-threads": 2})
    await_restarts(testbed, before)
    writer.await_writes()
    invariants(testbed, writer)
    assert io_threads(testbed) == {"2"}
    assert primary_of(testbed) != old
    restarted = [
        entry.subject
        for entry in testbed.timeline.entries("databag")[begin:]
        if "needs-restart removed" in entry.text
    ]
    assert sorted(restarted) == [f"{OPERATOR}/{n}" for n in range(3)]
    assert restarted[-1] == old
    assert failed_hooks(testbed) == []


def test_refresh_without_changes_restarts_no_server(testbed: localjuju.Juju, write: Write) -> None:
    before = processes(testbed)
    writer = write(testbed)
    testbed.refresh(OPERATOR)
    invariants(testbed, writer)
    assert processes(testbed) == before
    assert writer.errors == 0
    assert failed_hooks(testbed) == []


def test_refresh_with_changed_files_restarts_units_one_by_one(
    testbed: localjuju.Juju, write: Write
) -> None:
    """Servers that a release before this one started: their files differ."""
    before = processes(testbed)
    writer = write(testbed)
    for number in range(3):
        (folder_of(testbed, f"{OPERATOR}/{number}") / "started-with").write_text("something else")
    testbed.refresh(OPERATOR, path=ROOT)
    await_restarts(testbed, before)
    invariants(testbed, writer)
    assert failed_hooks(testbed) == []


def test_switchover_does_not_delay_valkey_py_clients(testbed: localjuju.Juju) -> None:
    """One asks the first Sentinel for the primary; the one that led would still name the old.

    With a coordinated failover the servers change a second before any Sentinel says so.
    """
    access = access_of(testbed)
    login: dict[str, Any] = {"username": access.username, "password": access.password}
    sentinel = Sentinel(
        [(e.host, e.port) for e in access.sentinel_endpoints], sentinel_kwargs=login, **login
    )
    errors: list[Exception] = []
    written: list[str] = []
    with sentinel.master_for("primary", socket_timeout=1) as connection:
        task = Thread(target=lambda: testbed.run(f"{OPERATOR}/leader", "switchover"))
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
    # A client that reconnects too early gets an error at once: the server is not a primary any
    # more, or not yet.
    waited = [
        error
        for error in errors
        if not isinstance(error, ReadOnlyError) and not str(error).startswith("NOREPLICAS ")
    ]
    assert len(waited) <= 2, waited
    invariants(testbed)


@pytest.mark.parametrize("fault", [signal.SIGSTOP, signal.SIGKILL])
def test_switchover_succeeds_when_a_sentinel_falls_silent(
    testbed: localjuju.Juju, write: Write, fault: signal.Signals
) -> None:
    """It happens while writes are paused: they must not go on at the primary of old."""
    old = primary_of(testbed)
    writer = write(testbed)
    # The Sentinel of the last unit is asked to begin.
    log = folder_of(testbed, f"{OPERATOR}/2") / "sentinel.log"
    begun = log.read_text().count("+try-failover")
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(testbed.run, f"{OPERATOR}/leader", "switchover")
        has_ended = False
        while log.read_text().count("+try-failover") == begun:
            assert not has_ended
            has_ended = task.done()  # The log is read once more after that.
            time.sleep(0.002)
        process = pid_of(testbed, f"{OPERATOR}/0", "sentinel")
        os.kill(process, fault)
        time.sleep(2.5)  # More than a Sentinel is given to answer one question.
        if fault == signal.SIGSTOP:
            os.kill(process, signal.SIGCONT)
        assert task.result().status == "completed"
    update_status(testbed)
    writer.await_writes()
    invariants(testbed, writer)
    assert primary_of(testbed) != old


@pytest.mark.parametrize("removed", ["0", "1 2", "0 1", "2"])
def test_removing_units_loses_no_writes(
    testbed: localjuju.Juju, write: Write, removed: str
) -> None:
    """Of three: the primary that leads, both replicas, the leader and its likely successor."""
    writer = write(testbed)
    testbed.remove_unit(*(f"{OPERATOR}/{number}" for number in removed.split()))
    left = 3 - len(removed.split())
    until(
        lambda: testbed.units(OPERATOR),
        lambda units: len(units) == left,
        what=f"{left} units are left",
    )
    writer.await_writes()
    invariants(testbed, writer)
    assert failed_hooks(testbed) == []


def runs(juju: localjuju.Juju, unit: str, hook: str) -> bool:
    """Whether a unit runs a hook now; not, if the unit has gone."""
    now = juju.snapshot().unit(unit)
    return now is not None and now.running is not None and now.running.hook == hook


def test_removing_a_frozen_primary_loses_no_writes(testbed: localjuju.Juju, write: Write) -> None:
    """It hands over as soon as it answers again, long before Sentinels would take it for down."""
    testbed.config(OPERATOR, {"down-after": 120})
    invariants(testbed)
    old = primary_of(testbed)
    writer = write(testbed)
    send(testbed, old, "server", signal.SIGSTOP)
    testbed.remove_unit(old)
    until(lambda: runs(testbed, old, "stop"), what=f"{old} runs its stop hook")
    time.sleep(3)  # More than a server is given to answer one question.
    send(testbed, old, "server", signal.SIGCONT)
    await_primary(testbed, other_than=old)
    writer.await_writes()
    invariants(testbed, writer)
    assert failed_hooks(testbed) == []


def test_removing_a_primary_in_a_long_script_loses_no_writes(
    make_testbed: MakeTestbed, write: Write
) -> None:
    """Its stop hook fails until it can hand over; the last unit does not take it for gone."""
    testbed = make_testbed(2)
    testbed.config(OPERATOR, {"down-after": 120})
    invariants(testbed)
    old = primary_of(testbed)
    writer = write(testbed)
    script = "local s = os.clock() while os.clock() - s < 13 do end return 1"
    with (
        ThreadPoolExecutor() as pool,
        client.connect(access_of(testbed), socket_timeout=DEADLINE) as connection,
    ):
        reply = pool.submit(connection.eval, script, 0)
        time.sleep(2)  # More than a script may take before others are told that it does.
        testbed.remove_unit(old)
        assert reply.result() == 1
        await_primary(testbed, other_than=old)
    writer.await_writes()
    invariants(testbed, writer)
