"""The primary dies, and every requirer is told by the hook that Sentinel asks for."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable

import pytest

import localjuju

from ..conftest import failed_hooks
from ..operated import OPERATOR, PORT, SENTINEL_PORT, admin
from ..writer import Writer
from .conftest import MakeEstate, access_of, await_primary, primary_of, send
from .invariants import invariants

pytestmark = pytest.mark.faults

Write = Callable[[localjuju.Juju], Writer]


def woken(juju: localjuju.Juju, unit: str) -> list[str]:
    """What Sentinel made a unit run."""
    return [
        entry.text
        for entry in juju.timeline.entries("hook")
        if entry.subject == unit and "run-commands" in entry.text
    ]


@pytest.mark.parametrize("leader", [0, 1])
def test_a_primary_that_is_killed(make_estate: MakeEstate, write: Write, leader: int) -> None:
    juju = make_estate()
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


def test_who_does_not_lead_and_lost_nothing_hardly_wakes(estate: localjuju.Juju) -> None:
    send(estate, f"{OPERATOR}/0", "server", signal.SIGKILL)
    await_primary(estate, other_than=f"{OPERATOR}/0")
    estate.wait(lambda _: all(woken(estate, f"{OPERATOR}/{n}") for n in range(3)))
    for unit in (f"{OPERATOR}/1", f"{OPERATOR}/2"):
        (text,) = woken(estate, unit)
        assert text.endswith("1 calls"), "it asked whether it leads, and ran no Python"


def test_a_leader_that_is_lost_with_the_primary(estate: localjuju.Juju, write: Write) -> None:
    writer = write(estate)
    estate.lose(f"{OPERATOR}/0")
    new = await_primary(estate, other_than=f"{OPERATOR}/0")
    assert new != f"{OPERATOR}/0"
    writer.await_writes()
    hosts = {e.host for e in access_of(estate).sentinel_endpoints}
    assert estate.address(f"{OPERATOR}/0") not in hosts
    estate.recover(f"{OPERATOR}/0")
    invariants(estate, writer)
    assert failed_hooks(estate) == []


def test_a_leader_that_is_elected_after_the_failover(estate: localjuju.Juju) -> None:
    """The script ran on every unit, and none of them led."""
    estate.clear_leader(OPERATOR)
    send(estate, f"{OPERATOR}/0", "server", signal.SIGKILL)
    estate.wait(lambda _: all(woken(estate, f"{OPERATOR}/{n}") for n in range(3)))
    assert primary_of(estate) == f"{OPERATOR}/0"
    estate.set_leader(f"{OPERATOR}/1")
    await_primary(estate, other_than=f"{OPERATOR}/0")
    invariants(estate)


def test_update_status_is_the_net_below(estate: localjuju.Juju) -> None:
    for number in range(3):
        script = estate.directory / f"agents/unit-{OPERATOR}-{number}/valkey/primary-changed.sh"
        script.write_text("#!/bin/sh\nexit 2\n")
    send(estate, f"{OPERATOR}/0", "server", signal.SIGKILL)
    estate.wait(lambda _: names_another(estate))
    assert primary_of(estate) == f"{OPERATOR}/0"
    for number in range(3):
        estate.update_status(f"{OPERATOR}/{number}")
    await_primary(estate, other_than=f"{OPERATOR}/0")
    invariants(estate)


def names_another(juju: localjuju.Juju) -> bool:
    for unit in (f"{OPERATOR}/1", f"{OPERATOR}/2"):
        with admin(juju, juju.address(unit), SENTINEL_PORT) as sentinel:
            said = sentinel.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", "primary")
        if said[0] == juju.address(f"{OPERATOR}/0"):
            return False
    return True


def test_the_script_may_run_again_and_writes_nothing_that_is_said(estate: localjuju.Juju) -> None:
    old = estate.address(f"{OPERATOR}/0")
    send(estate, f"{OPERATOR}/0", "server", signal.SIGKILL)
    new = estate.address(await_primary(estate, other_than=f"{OPERATOR}/0"))
    invariants(estate)
    written = estate.timeline.entries("databag")
    script = estate.directory / f"agents/unit-{OPERATOR}-0/valkey/primary-changed.sh"
    arguments = ("primary", "observer", "start", old, str(PORT), new, str(PORT))
    for _ in range(2):
        assert subprocess.run([script, *arguments], check=False).returncode == 0
    assert estate.timeline.entries("databag") == written
    assert subprocess.run([script, "primary"], check=False).returncode == 2
    hostile = (*arguments[:5], "$(touch /tmp/owned)", arguments[6])
    assert subprocess.run([script, *hostile], check=False).returncode == 2
    estate.hook_timeout = 0.01
    assert subprocess.run([script, *arguments], check=False).returncode == 1
