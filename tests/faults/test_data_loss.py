"""Servers lose or spoil their data, and no start makes the others lose theirs."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

import localjuju

from ..conftest import failed_hooks
from ..operator_model import (
    OPERATOR,
    PORT,
    admin,
    await_primary,
    folder_of,
    primary_of,
    send,
    units,
    update_status,
)
from ..waits import until
from ..writer import Writer
from .conftest import MakeTestbed
from .damages import (
    DAMAGES,
    EMPTIES,
    Damage,
    empty_storage,
    remove_base,
    remove_directory,
    remove_manifest,
    zeros_at_the_end,
)
from .invariants import invariants

pytestmark = [pytest.mark.faults, pytest.mark.field]

Write = Callable[[localjuju.Juju], Writer]

_SAMPLE = {remove_manifest, empty_storage, zeros_at_the_end}
"""Run in every suite; the others are slow."""


def each(damages: tuple[Damage, ...] = DAMAGES) -> list[object]:
    return [
        pytest.param(
            damage,
            id=damage.__name__.replace("_", "-"),
            marks=[] if damage in _SAMPLE else pytest.mark.slow,
        )
        for damage in damages
    ]


def status_of(juju: localjuju.Juju, unit: str) -> tuple[str, str]:
    status = juju.status().apps[OPERATOR].units[unit].workload_status
    return status.current, status.message


@pytest.fixture
def testbed(shared_testbed: localjuju.Juju) -> localjuju.Juju:
    return shared_testbed


@pytest.mark.parametrize("damage", each())
def test_a_primary_that_restarts_without_its_data_is_replaced(
    testbed: localjuju.Juju, write: Write, damage: Damage
) -> None:
    """Its unit's hook runs before the Sentinels take the server for down."""
    old = primary_of(testbed)
    writer = write(testbed)
    writer.await_writes(200)
    writer.stop()  # What the primary has not yet sent to a replica is lost with it, as ever.
    send(testbed, old, "server", signal.SIGKILL)
    damage(testbed.storage(old, "data"))
    testbed.update_status(old)
    await_primary(testbed, other_than=old)
    update_status(testbed)
    invariants(testbed, writer)
    assert failed_hooks(testbed) == []
    write(testbed)


@pytest.mark.parametrize("damage", each())
def test_a_replica_with_damaged_data_syncs_from_the_primary(
    testbed: localjuju.Juju, write: Write, damage: Damage
) -> None:
    replica = f"{OPERATOR}/1"
    writer = write(testbed)
    writer.await_writes(200)
    data = testbed.storage(replica, "data")
    send(testbed, replica, "server", signal.SIGKILL)
    damage(data)
    update_status(testbed)
    invariants(testbed, writer)
    assert status_of(testbed, replica)[0] == "active"
    assert (data / "damaged-data").exists() == (damage not in EMPTIES)
    assert failed_hooks(testbed) == []
    empty_aside(testbed)


def empty_aside(juju: localjuju.Juju) -> None:
    """Leave the shared deployment as it was."""
    for unit in units(juju):
        aside = juju.storage(unit, "data") / "damaged-data"
        if aside.exists():
            subprocess.run(["rm", "-r", str(aside)], check=True)


@pytest.mark.parametrize(
    ("count", "damage"),
    [
        (3, empty_storage),
        (3, remove_manifest),
        *(
            pytest.param(5, damage, marks=pytest.mark.slow)
            for damage in (empty_storage, remove_manifest, remove_base, zeros_at_the_end)
        ),
    ],
    ids=lambda value: value.__name__.replace("_", "-") if callable(value) else str(value),
)
def test_all_machines_boot_and_the_primary_has_lost_its_data(
    make_testbed: MakeTestbed, write: Write, count: int, damage: Damage
) -> None:
    """No replica is promotable then; the leader lets the newest succeed."""
    juju = make_testbed(count)
    writer = write(juju)
    writer.await_writes(200)
    writer.stop()
    everyone = units(juju)
    for unit in everyone:
        juju.lose(unit)
    damage(juju.storage(f"{OPERATOR}/0", "data"))
    for unit in everyone:
        juju.recover(unit)
    juju.settle()
    await_primary(juju, other_than=f"{OPERATOR}/0")
    update_status(juju)
    invariants(juju, writer)
    write(juju)
    assert failed_hooks(juju) == []


@pytest.mark.parametrize("damage", each())
def test_an_only_unit_without_its_data_asks(
    make_testbed: MakeTestbed, write: Write, damage: Damage
) -> None:
    juju = make_testbed(1)
    unit = f"{OPERATOR}/0"
    writer = write(juju)
    writer.await_writes(200)
    writer.stop()
    data = juju.storage(unit, "data")
    kept = data.parent / f"{data.name}-kept"
    send(juju, unit, "server", signal.SIGKILL)
    subprocess.run(["cp", "-a", str(data), str(kept)], check=True)
    damage(data)
    for _ in range(2):
        update_status(juju)
        current, message = status_of(juju, unit)
        assert current == "blocked", message
        assert "accept-data-loss" in message
    assert not is_answering(juju, unit)
    # The person brings the files back.
    empty_storage(data)
    subprocess.run(["cp", "-a", f"{kept}/.", str(data)], check=True)
    update_status(juju)
    invariants(juju, writer)
    # Or goes on without them.
    send(juju, unit, "server", signal.SIGKILL)
    damage(data)
    update_status(juju)
    juju.run(unit, "accept-data-loss")
    update_status(juju)
    invariants(juju)
    assert status_of(juju, unit)[0] == "active"
    assert failed_hooks(juju) == []


def is_answering(juju: localjuju.Juju, unit: str) -> bool:
    try:
        with admin(juju, juju.address(unit), PORT, timeout=1) as server:
            return bool(server.ping())
    except Exception:
        return False


def test_the_newest_storage_wins_whatever_the_order_of_the_units(
    make_testbed: MakeTestbed, write: Write
) -> None:
    """Units 2, 1 and 0 are removed with writes in between; others get their storage."""
    juju = make_testbed(3)
    writers: list[Writer] = []
    for number in (2, 1, 0):
        writer = write(juju)
        writer.await_writes(20)
        writers.append(writer)
        if number == 0:
            writer.stop()
        juju.remove_unit(f"{OPERATOR}/{number}")
        juju.settle()
    for writer in writers:
        writer.stop()
    assert units(juju) == []
    juju.add_unit(OPERATOR, attach_storage="data/2")
    juju.settle()
    app = juju.status().apps[OPERATOR].app_status
    assert (app.current, "accept-data-loss" in app.message) == ("blocked", True), app
    juju.add_unit(OPERATOR, attach_storage="data/1")
    juju.settle()
    assert juju.status().apps[OPERATOR].app_status.current == "blocked"
    juju.add_unit(OPERATOR, attach_storage="data/0")
    juju.settle()
    update_status(juju)
    invariants(juju, *writers)
    assert failed_hooks(juju) == []


def test_older_storage_serves_after_a_person_has_accepted_it(
    make_testbed: MakeTestbed, write: Write
) -> None:
    juju = make_testbed(2)
    writer = write(juju)
    writer.await_writes(20)
    writer.stop()
    juju.remove_unit(f"{OPERATOR}/1")
    juju.settle()
    juju.remove_unit(f"{OPERATOR}/0")
    juju.settle()
    juju.add_unit(OPERATOR, attach_storage="data/1")
    juju.settle()
    assert juju.status().apps[OPERATOR].app_status.current == "blocked"
    juju.run(f"{OPERATOR}/2", "accept-data-loss")
    juju.settle()
    invariants(juju, writer)
    assert failed_hooks(juju) == []


def test_exchanged_data_directories_do_not_bring_back_older_data(
    make_testbed: MakeTestbed, write: Write
) -> None:
    """The primary gets those of a replica that was away for a while, and all boot."""
    juju = make_testbed(3)
    writer = write(juju)
    writer.await_writes(50)
    juju.lose(f"{OPERATOR}/2")
    writer.await_writes(50)
    writer.stop()
    for number in (0, 1):
        juju.lose(f"{OPERATOR}/{number}")
    first, last = (juju.storage(f"{OPERATOR}/{number}", "data") for number in (0, 2))
    other = first.parent / "exchange"
    first.rename(other)
    last.rename(first)
    other.rename(last)
    for number in range(3):
        juju.recover(f"{OPERATOR}/{number}")
    juju.settle()
    update_status(juju)
    until(lambda: primary_of(juju), lambda unit: unit != f"{OPERATOR}/0", what="another primary")
    update_status(juju)
    invariants(juju, writer)
    assert failed_hooks(juju) == []


def test_a_start_by_anything_but_a_hook_obeys_the_same_rule(
    make_testbed: MakeTestbed, write: Write
) -> None:
    """The program that a service manager runs before the server."""
    juju = make_testbed(1)
    unit = f"{OPERATOR}/0"
    write(juju).stop()

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "valkey_operator.unit.start_check", str(folder_of(juju, unit))],
            capture_output=True,
            text=True,
            check=False,
        )

    assert (check().returncode, check().stderr) == (0, "")
    send(juju, unit, "server", signal.SIGKILL)
    assert check().returncode == 0
    remove_directory(juju.storage(unit, "data"))
    refused = check()
    assert refused.returncode == 75
    assert refused.stderr.startswith("the data directory is empty, but this unit had data: ")
