"""Files that the charm owns are damaged or altered, and no unit stays down because of it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import localjuju

from ..conftest import failed_hooks
from ..operator_model import OPERATOR, folder_of, send, units, update_status
from ..writer import Writer
from .invariants import invariants

pytestmark = [pytest.mark.faults, pytest.mark.field]

UNIT = f"{OPERATOR}/1"

Damage = Callable[[bytes], bytes]


@pytest.fixture
def testbed(shared_testbed: localjuju.Juju) -> localjuju.Juju:
    return shared_testbed


def cut(text: bytes) -> bytes:
    return text[: len(text) // 2]


def empty(_: bytes) -> bytes:
    return b""


def double(text: bytes) -> bytes:
    return text + text


def add_bytes(text: bytes) -> bytes:
    middle = len(text) // 2
    return text[:middle] + b"\xff\xfe\x00\x80" + text[middle:]


def add_words(text: bytes) -> bytes:
    return text + b"what nobody knows\nsentinel known-replica primary 127.0.0.9\n"


def alter_epoch(text: bytes) -> bytes:
    return text + b"sentinel config-epoch primary x\nsentinel myid 1\n"


DAMAGES: tuple[Damage, ...] = (cut, empty, double, add_bytes, add_words, alter_epoch)

FILES = (
    *("sentinel.conf", "valkey.conf", "users.acl", "sentinel.acl", "started-with"),
    *("start.json", "primary-changed.sh", "version"),
)


def each() -> list[object]:
    """Every file with every damage; in each run, every file and every damage once at the least."""
    pairs = [(file, damage) for file in FILES for damage in DAMAGES]
    sample = {(file, DAMAGES[i % len(DAMAGES)]) for i, file in enumerate(FILES)}
    return [
        pytest.param(
            *pair,
            id=f"{pair[0]}-{pair[1].__name__}",
            marks=[] if pair in sample else pytest.mark.slow,
        )
        for pair in pairs
    ]


@pytest.mark.parametrize(("file", "damage"), each())
def test_a_unit_whose_file_is_damaged_starts(
    testbed: localjuju.Juju, write: Callable[[localjuju.Juju], Writer], file: str, damage: Damage
) -> None:
    writer = write(testbed)
    for service in ("sentinel", "server"):
        send(testbed, UNIT, service, signal.SIGKILL)
    path = folder_of(testbed, UNIT) / file
    before = path.read_bytes()
    path.write_bytes(damage(before))
    update_status(testbed)
    invariants(testbed, writer)
    update_status(testbed)
    status = testbed.status().apps[OPERATOR].units[UNIT].workload_status
    assert status.current == "active", status.message
    if file in {"users.acl", "sentinel.acl", "started-with", "primary-changed.sh", "version"}:
        assert path.read_bytes() == before
    assert failed_hooks(testbed) == []


@pytest.mark.parametrize("file", ["users.acl", "sentinel.acl", "primary-changed.sh", "server.pid"])
def test_a_file_that_is_altered_while_servers_run_is_written_anew(
    testbed: localjuju.Juju, file: str
) -> None:
    path = folder_of(testbed, UNIT) / file
    before = path.read_bytes()
    processes = processes_of(testbed)
    path.write_bytes(b"\xff nothing that anybody knows\n")
    update_status(testbed)
    if file != "server.pid":
        assert path.read_bytes() == before
    path.write_bytes(before)
    invariants(testbed)
    assert processes_of(testbed) == processes
    assert failed_hooks(testbed) == []


@pytest.mark.parametrize("file", ["users.acl", "sentinel.acl"])
def test_a_full_disk_is_a_status(testbed: localjuju.Juju, file: str) -> None:
    folder = folder_of(testbed, UNIT)
    before = (folder / file).read_bytes()
    (folder / file).write_text("damaged")
    (folder / f"{file}.new").symlink_to("/dev/full")
    testbed.update_status(UNIT)
    testbed.settle()
    status = testbed.status().apps[OPERATOR].units[UNIT].workload_status
    assert status.current == "blocked"
    assert status.message == (
        f"Cannot write {file} in {folder}: No space left on device; free space or repair it"
    )
    update_status(testbed)
    invariants(testbed)
    assert (folder / file).read_bytes() == before
    assert failed_hooks(testbed) == []


def test_a_full_storage_keeps_the_record_that_it_has(testbed: localjuju.Juju) -> None:
    update_status(testbed)
    data = testbed.storage(UNIT, "data")
    before = (data / "valkey-data.json").read_bytes()
    (data / "valkey-data.new").symlink_to("/dev/full")
    testbed.update_status(UNIT)
    testbed.settle()
    assert (data / "valkey-data.json").read_bytes() == before
    invariants(testbed)
    assert failed_hooks(testbed) == []


def processes_of(juju: localjuju.Juju) -> dict[str, str]:
    folders: dict[str, Path] = {unit: folder_of(juju, unit) for unit in units(juju)}
    return {
        f"{service} of {unit}": (folder / f"{service}.pid").read_text()
        for unit, folder in folders.items()
        for service in ("server", "sentinel")
    }
