"""Commands from outside of a hook, hooks that are killed, machines that are lost."""

from __future__ import annotations

import subprocess
import threading

import pytest
from probe_model import Probe, command_line

from localjuju import HookCall
from localjuju.supervisor import descendants


def juju_exec(probe: Probe, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(probe.juju.bin / "juju-exec"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("option", [(), ("-u",)])
def test_a_command_runs_in_the_context_of_its_unit(probe: Probe, option: tuple[str, ...]) -> None:
    probe.deploy("a", 2)
    probe.juju.settle()
    for unit, leads in (("a/0", "True"), ("a/1", "False")):
        process = juju_exec(probe, *option, unit, "is-leader; pwd; echo oh >&2; exit 3")
        assert process.returncode == 3
        where = probe.juju.directory / "agents" / f"unit-{unit.replace('/', '-')}" / "charm"
        assert process.stdout.split() == [leads, str(where)]
        assert process.stderr == "oh\n"


def test_a_command_can_dispatch_an_event_of_its_own(probe: Probe) -> None:
    probe.deploy("a")
    probe.juju.settle()
    process = juju_exec(probe, "a/0", "JUJU_DISPATCH_PATH=hooks/woken ./dispatch")
    assert process.returncode == 0, process.stderr
    assert probe.hooks("a/0")[-1] == "woken"
    assert "JUJU_RELATION" not in probe.records("a/0", "woken")[0]["env"]


def test_what_a_command_wrote_is_kept_whatever_its_exit_code(probe: Probe) -> None:
    """Juju flushes a command's context unless the command could not be run."""
    probe.deploy("a")
    probe.juju.settle()
    mates = probe.juju.relation_id("a", "mates")
    juju_exec(probe, "a/0", f"relation-set -r mates:{mates} --app k=v; exit 1")
    assert probe.juju.databag(mates, "a") == {"k": "v"}


def test_commands_wait_for_the_running_hook_and_all_of_them_run(probe: Probe) -> None:
    probe.deploy("a")
    probe.juju.settle()
    probe.on("update-status", probe.wait_at_gate)
    probe.juju.update_status("a/0")
    probe.await_hook("a/0", "update-status")
    codes: list[int] = []
    callers = [
        threading.Thread(target=lambda: codes.append(juju_exec(probe, "a/0", "true").returncode))
        for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    unit = probe.juju._engine.model.applications["a"].units["a/0"]
    probe.juju.wait(lambda _: len(unit.commands) == 3)
    probe.open_gate()
    for caller in callers:
        caller.join()
    assert codes == [0, 0, 0]
    ran = [e.text for e in probe.juju.timeline.entries("hook") if "run-commands" in e.text]
    assert len(ran) == 3


def test_a_command_runs_while_a_failed_hook_waits_for_resolve(probe: Probe) -> None:
    probe.deploy("a")
    probe.juju.settle()
    probe.juju.automatically_retry_hooks = False
    probe.on("update-status", "fail")
    probe.juju.update_status("a/0")
    probe.juju.wait(lambda status: status.apps["a"].units["a/0"].is_error)
    assert juju_exec(probe, "a/0", "is-leader").stdout == "True\n"


def test_what_cannot_be_run_is_refused(probe: Probe) -> None:
    probe.on("start", ["juju-exec", "a/0", "true"])
    probe.deploy("a")
    probe.juju.settle()
    assert probe.outputs("a/0", "start") == ["ERROR juju-exec cannot be called from within a hook"]
    assert "not found" in juju_exec(probe, "a/7", "true").stderr
    assert juju_exec(probe, "a/0").returncode == 2


def test_a_hook_that_is_killed_has_changed_nothing_and_is_retried(probe: Probe) -> None:
    killed: list[str] = []
    databags: list[dict[str, str]] = []

    def kill_once(call: HookCall) -> None:
        if (call.event.kind, call.command) != ("config-changed", "is-leader"):
            return
        if killed:
            databags.append(probe.juju.databag(0, "a/0"))
        else:
            killed.append(call.hook_id)
            call.kill_hook()

    probe.juju.on_call(kill_once)
    probe.on("config-changed", ["relation-set", "-r", "mates:0", "k=v"], ["is-leader"])
    probe.deploy("a")
    probe.juju.wait(lambda _: bool(killed))
    probe.juju.settle()
    assert ["k" in databag for databag in databags] == [False], "as the next attempt found it"
    assert probe.juju.databag(0, "a/0")["k"] == "v"
    assert len(probe.records("a/0", "config-changed")) == 1, "the first did not reach its end"


def test_a_lost_machine_loses_its_processes_and_boots_again(probe: Probe) -> None:
    probe.on("a/0 start", "daemon")
    probe.on("a/1 start", "daemon")
    # As a server does that writes over its environment and goes where its data is.
    home = probe.juju.directory / "agents" / "unit-a-0"
    probe.on("a/0 config-changed", ["sh", "-c", f"cd {home}; env -i sleep 1000 >&- 2>&- &"])
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


def test_a_hook_that_was_killed_with_its_machine_runs_again_without_an_error(probe: Probe) -> None:
    probe.deploy("a")
    probe.juju.settle()
    calls: list[str] = []
    probe.juju.on_call(lambda call: calls.append(call.event.hook))
    probe.on("update-status", ["is-leader"], ["sh", "-c", "sleep 1000"])
    probe.juju.update_status("a/0")
    probe.juju.wait(lambda _: "update-status" in calls)
    probe.juju.lose("a/0")
    probe.on("update-status", ["is-leader"])
    probe.juju.recover("a/0")
    probe.juju.settle()
    assert probe.juju.failed_hooks() == ()
    assert probe.hooks("a/0")[-2:] == ["start", "update-status"]


def test_a_unit_whose_address_changes_runs_config_changed_and_tells_its_peers(
    probe: Probe,
) -> None:
    probe.deploy("a", 2)
    probe.juju.settle()
    before = len(probe.hooks("a/0")), len(probe.hooks("a/1"))
    old = probe.juju.address("a/0")
    new = probe.juju.change_address("a/0")
    probe.juju.settle()
    assert new != old
    assert probe.juju.address("a/0") == new
    assert probe.hooks("a/0")[before[0] :] == ["config-changed"]
    assert probe.hooks("a/1")[before[1] :] == ["mates-relation-changed"]
    assert probe.juju.databag(0, "a/0")["ingress-address"] == new
