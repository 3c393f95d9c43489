"""The primary dies, and every requirer is told by the hook that Sentinel asks for."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable

import pytest

import localjuju

from ..conftest import failed_hooks
from ..operator_model import (
    OPERATOR,
    PORT,
    SENTINEL_PORT,
    access_of,
    admin,
    await_primary,
    folder_of,
    primary_of,
    send,
)
from ..waits import until
from ..writer import Writer
from .conftest import MakeTestbed
from .invariants import invariants
from .notices import await_sentinel_notices, sentinel_notices

pytestmark = pytest.mark.faults

Write = Callable[[localjuju.Juju], Writer]


@pytest.fixture
def testbed(shared_testbed: localjuju.Juju) -> localjuju.Juju:
    return shared_testbed


@pytest.fixture
def begin(testbed: localjuju.Juju) -> int:
    """How many hooks earlier tests have run."""
    return len(testbed.timeline.entries("hook"))


@pytest.mark.parametrize("leader", [0, 1])
def test_killed_primary_is_replaced_and_requirers_are_notified(
    testbed: localjuju.Juju, write: Write, leader: int
) -> None:
    juju = testbed
    juju.set_leader(f"{OPERATOR}/{leader}")
    juju.settle()
    old = primary_of(juju)
    with_old = access_of(juju)
    writer = write(juju)
    send(juju, old, "server", signal.SIGKILL)
    new = await_primary(juju, other_than=old)
    access = access_of(juju)
    assert access.endpoints[0].host == juju.address(new)
    assert access.sentinel_endpoints == with_old.sentinel_endpoints
    writer.await_writes()
    invariants(juju, writer)
    # The unit of the old primary has brought its server back, as a replica.
    assert juju.address(old) in {e.host for e in access_of(juju).read_only_endpoints}
    assert failed_hooks(juju) == []


def test_failover_runs_no_charm_code_on_units_not_concerned(
    testbed: localjuju.Juju, begin: int
) -> None:
    send(testbed, f"{OPERATOR}/0", "server", signal.SIGKILL)
    await_primary(testbed, other_than=f"{OPERATOR}/0")
    await_sentinel_notices(testbed, begin)
    for unit in (f"{OPERATOR}/1", f"{OPERATOR}/2"):
        # More than one, if a busy machine fails over again.
        notices = sentinel_notices(testbed, unit, begin)
        assert notices
        for text in notices:
            assert text.endswith("1 calls"), "it asked whether it leads, and ran no Python"


def test_failover_when_leader_and_primary_are_lost_together(
    testbed: localjuju.Juju, write: Write
) -> None:
    writer = write(testbed)
    testbed.lose(f"{OPERATOR}/0")
    new = await_primary(testbed, other_than=f"{OPERATOR}/0")
    assert new != f"{OPERATOR}/0"
    writer.await_writes()
    hosts = {e.host for e in access_of(testbed).sentinel_endpoints}
    assert testbed.address(f"{OPERATOR}/0") not in hosts
    testbed.recover(f"{OPERATOR}/0")
    invariants(testbed, writer)
    assert failed_hooks(testbed) == []


def test_leader_elected_after_a_failover_notifies_requirers(
    testbed: localjuju.Juju, begin: int
) -> None:
    """The script ran on every unit, and none of them led."""
    testbed.clear_leader(OPERATOR)
    send(testbed, f"{OPERATOR}/0", "server", signal.SIGKILL)
    await_sentinel_notices(testbed, begin)
    assert primary_of(testbed) == f"{OPERATOR}/0"
    testbed.set_leader(f"{OPERATOR}/1")
    await_primary(testbed, other_than=f"{OPERATOR}/0")
    invariants(testbed)


def test_update_status_notices_a_failover_that_hooks_missed(make_testbed: MakeTestbed) -> None:
    testbed = make_testbed()
    for number in range(3):
        script = folder_of(testbed, f"{OPERATOR}/{number}") / "primary-changed.sh"
        script.write_text("#!/bin/sh\nexit 2\n")
    send(testbed, f"{OPERATOR}/0", "server", signal.SIGKILL)
    until(lambda: sentinels_name_another(testbed), what="Sentinels name another primary")
    assert primary_of(testbed) == f"{OPERATOR}/0"
    for number in range(3):
        testbed.update_status(f"{OPERATOR}/{number}")
    await_primary(testbed, other_than=f"{OPERATOR}/0")
    invariants(testbed)


def sentinels_name_another(juju: localjuju.Juju) -> bool:
    for unit in (f"{OPERATOR}/1", f"{OPERATOR}/2"):
        with admin(juju, juju.address(unit), SENTINEL_PORT) as sentinel:
            primary = sentinel.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", "primary")
        if primary[0] == juju.address(f"{OPERATOR}/0"):
            return False
    return True


def test_sentinel_script_is_idempotent_and_rejects_bad_arguments(
    make_testbed: MakeTestbed,
) -> None:
    testbed = make_testbed()
    old = testbed.address(f"{OPERATOR}/0")
    send(testbed, f"{OPERATOR}/0", "server", signal.SIGKILL)
    new = testbed.address(await_primary(testbed, other_than=f"{OPERATOR}/0"))
    invariants(testbed)
    written = testbed.timeline.entries("databag")
    script = folder_of(testbed, f"{OPERATOR}/0") / "primary-changed.sh"
    arguments = ("primary", "observer", "start", old, str(PORT), new, str(PORT))
    for _ in range(2):
        assert subprocess.run([script, *arguments], check=False).returncode == 0
    assert testbed.timeline.entries("databag") == written
    assert subprocess.run([script, "primary"], check=False).returncode == 2
    hostile = (*arguments[:5], "$(touch /tmp/owned)", arguments[6])
    assert subprocess.run([script, *hostile], check=False).returncode == 2
    testbed.hook_timeout = 0.01
    assert subprocess.run([script, *arguments], check=False).returncode == 1
