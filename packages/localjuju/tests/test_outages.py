"""Commands from outside of a hook, hooks that are killed, machines that are lost."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest
from probe_model import Probe

from localjuju import HookCall
from localjuju.supervisor import descendants


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:  # it has ended since it was listed
        return ""


def juju_exec(probe: Probe, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(probe.juju.bin / "juju-exec"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("option", [(), ("-u",)])
def test_a_command_runs_in_the_context_of_its_unit(probe: Probe, option: tuple[str, ...]) -> None:
    probe.deploy("a", 2)
    probe.juju.settle()
    for unit, leads in (("a/0", "True"), ("a/1", "False")):
        done = juju_exec(probe, *option, unit, "is-leader; pwd; echo oh >&2; exit 3")
        assert done.returncode == 3
        where = probe.juju.directory / "agents" / f"unit-{unit.replace('/', '-')}" / "charm"
        assert done.stdout.split() == [leads, str(where)]
        assert done.stderr == "oh\n"


def test_a_command_can_dispatch_an_event_of_its_own(probe: Probe) -> None:
    probe.deploy("a")
    probe.juju.settle()
    done = juju_exec(probe, "a/0", "JUJU_DISPATCH_PATH=hooks/woken ./dispatch")
    assert done.returncode == 0, done.stderr
    assert probe.hooks("a/0")[-1] == "woken"
    assert "JUJU_RELATION" not in probe.records("a/0", "woken")[0]["env"]


def test_what_a_command_wrote_counts_whatever_its_exit_code(probe: Probe) -> None:
    """Juju flushes a command's context unless the command could not be run."""
    probe.deploy("a")
    probe.juju.settle()
    mates = probe.juju.relation_id("a", "mates")
    juju_exec(probe, "a/0", f"relation-set -r mates:{mates} --app k=v; exit 1")
    assert probe.juju.databag(mates, "a") == {"k": "v"}


def test_a_command_waits_for_its_turn_and_each_one_runs(probe: Probe) -> None:
    probe.deploy("a")
    probe.juju.settle()
    probe.order("update-status", ["sleep", "0.5"])
    probe.juju.update_status("a/0")
    codes: list[int] = []
    callers = [
        threading.Thread(target=lambda: codes.append(juju_exec(probe, "a/0", "true").returncode))
        for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert codes == [0, 0, 0]
    ran = [e.text for e in probe.juju.timeline.entries("hook") if "run-commands" in e.text]
    assert len(ran) == 3


def test_a_command_runs_while_a_hook_waits_for_a_person(probe: Probe) -> None:
    probe.deploy("a")
    probe.juju.settle()
    probe.juju.automatically_retry_hooks = False
    probe.order("update-status", "fail")
    probe.juju.update_status("a/0")
    probe.juju.wait(lambda status: status.apps["a"].units["a/0"].is_error)
    assert juju_exec(probe, "a/0", "is-leader").stdout == "True\n"


def test_what_cannot_be_run_is_refused(probe: Probe) -> None:
    probe.order("start", ["juju-exec", "a/0", "true"])
    probe.deploy("a")
    probe.juju.settle()
    assert probe.said("a/0", "start") == ["ERROR juju-exec cannot be called from within a hook"]
    assert "not found" in juju_exec(probe, "a/7", "true").stderr
    assert juju_exec(probe, "a/0").returncode == 2


def test_a_hook_that_is_killed_has_changed_nothing_and_comes_again(probe: Probe) -> None:
    killed: list[str] = []

    def kill_once(call: HookCall) -> None:
        is_meant = call.event.kind == "config-changed" and call.command == "is-leader"
        if is_meant and not killed:
            killed.append(call.hook_id)
            call.kill_hook()

    probe.juju.on_call(kill_once)
    probe.order("config-changed", ["relation-set", "-r", "mates:0", "k=v"], ["is-leader"])
    probe.deploy("a")
    probe.juju.wait(lambda _: bool(killed))
    assert "k" not in probe.juju.databag(0, "a/0")
    probe.juju.settle()
    assert probe.juju.databag(0, "a/0")["k"] == "v"
    assert len(probe.records("a/0", "config-changed")) == 1, "the first did not reach its end"


def test_a_machine_that_is_lost_takes_its_processes_along_and_boots_again(probe: Probe) -> None:
    probe.order("a/0 start", "daemon")
    probe.order("a/1 start", "daemon")
    # As a server does that writes over its environment and goes where its data is.
    home = probe.juju.directory / "agents" / "unit-a-0"
    probe.order("a/0 config-changed", ["sh", "-c", f"cd {home}; env -i sleep 1000 >&- 2>&- &"])
    probe.deploy("a", 2)
    probe.juju.settle()

    def sleepers() -> int:
        alive = descendants(probe.juju._engine.host.pid)
        return sum(command_line(pid).startswith("sleep") for pid in alive)

    probe.juju.wait(lambda _: sleepers() == 3)
    before = len(probe.hooks("a/0"))
    probe.juju.lose("a/0")
    probe.juju.wait(lambda _: sleepers() == 1)
    probe.juju.update_status("a/0")
    probe.juju.settle()
    assert probe.hooks("a/0")[before:] == []
    assert probe.juju.show_unit("a/1").leader
    assert "not found" in juju_exec(probe, "a/0", "true").stderr
    probe.juju.recover("a/0")
    probe.juju.settle()
    assert probe.hooks("a/0")[before:] == ["start", "update-status"]
    probe.juju.lose("a/0")
    probe.juju.remove_unit("a/0", force=True)
    probe.juju.settle()
    assert "a/0" not in probe.juju.status().apps["a"].units
