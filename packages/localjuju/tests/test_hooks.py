"""Which hooks run, in which order, and what a hook that fails leaves behind."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from pathlib import Path

import jubilant
import pytest
from probe_model import PROBE, Probe, command_line

import localjuju
from localjuju.supervisor import descendants

SETUP = [
    "data-storage-attached",
    "install",
    "mates-relation-created",
    "leader-elected",
    "config-changed",
    "start",
]


def test_a_unit_is_set_up_in_order(probe: Probe) -> None:
    probe.deploy("one")
    probe.juju.settle()
    assert probe.hooks("one/0") == SETUP


def test_a_unit_that_does_not_lead_is_not_elected_and_joins_its_peer(probe: Probe) -> None:
    probe.deploy("one", 2)
    probe.juju.settle()
    follower = probe.hooks("one/1")
    assert follower == [
        *(hook for hook in SETUP if hook != "leader-elected"),
        "mates-relation-joined",
        "mates-relation-changed",
    ]


def test_a_relation_from_its_beginning_to_its_end(probe: Probe) -> None:
    probe.deploy("a")
    probe.deploy("b")
    probe.juju.settle()
    probe.on("out-relation-created", ["relation-set", "--app", "key=value"])
    probe.juju.integrate("a:out", "b:in")
    probe.juju.settle()
    probe.juju.remove_relation("a:out", "b:in")
    probe.juju.settle()
    assert probe.hooks("b/0")[len(SETUP) :] == [
        "in-relation-created",
        "in-relation-changed",  # of the application, before the first unit has joined
        "in-relation-joined",
        "in-relation-changed",
        "in-relation-departed",
        "in-relation-broken",
    ]
    app_only = probe.records("b/0", "in-relation-changed")[0]["env"]
    assert (app_only["JUJU_REMOTE_APP"], app_only["JUJU_REMOTE_UNIT"]) == ("a", "")
    joined = probe.records("b/0", "in-relation-joined")[0]["env"]
    assert joined["JUJU_REMOTE_UNIT"] == "a/0"
    assert joined["JUJU_RELATION_ID"].startswith("in:")
    departed = probe.records("b/0", "in-relation-departed")[0]["env"]
    assert departed["JUJU_DEPARTING_UNIT"] == "a/0"
    with pytest.raises(localjuju.LocalJujuError):
        probe.juju.relation_id("a", "out")


def test_a_relation_that_exists_at_install_is_created_before_the_leader_is_elected(
    probe: Probe,
) -> None:
    probe.deploy("a")
    probe.deploy("b", 0)
    probe.juju.integrate("a:out", "b:in")
    probe.juju.add_unit("b")
    probe.juju.settle()
    hooks = probe.hooks("b/0")
    assert hooks.index("install") < hooks.index("in-relation-created")
    assert hooks.index("in-relation-created") < hooks.index("leader-elected")
    assert hooks.index("start") < hooks.index("in-relation-joined")


def test_a_unit_that_is_removed_departs_breaks_and_stops(probe: Probe) -> None:
    probe.deploy("a", 2)
    probe.deploy("b")
    probe.juju.integrate("a:out", "b:in")
    probe.juju.settle()
    before = len(probe.hooks("a/0"))
    probe.juju.remove_unit("a/0")
    probe.juju.settle()
    assert probe.hooks("a/0")[before:] == [
        "mates-relation-departed",
        "out-relation-departed",
        "out-relation-broken",
        "stop",
        "data-storage-detaching",
        "remove",
    ]
    own = probe.records("a/0", "out-relation-departed")[-1]["env"]
    assert own["JUJU_DEPARTING_UNIT"] == "a/0"
    others = probe.records("a/1", "mates-relation-departed")[-1]["env"]
    assert others["JUJU_DEPARTING_UNIT"] == "a/0"
    assert "leader-elected" in probe.hooks("a/1")


def test_several_changes_before_a_hook_make_one_hook(probe: Probe) -> None:
    probe.deploy("a")
    probe.juju.settle()
    probe.juju.config("a", {"text": "y", "number": 7})
    probe.juju.settle()
    assert probe.hooks("a/0").count("config-changed") == 2
    probe.juju.config("a", {"text": "y"})
    probe.juju.settle()
    assert probe.hooks("a/0").count("config-changed") == 2


def test_a_failed_hook_changes_nothing_and_is_retried_before_others(probe: Probe) -> None:
    probe.deploy("a")
    probe.deploy("b")
    probe.juju.settle()
    commands = (
        ["relation-set", "--app", "key=value"],
        ["secret-add", "--label", "s", "abc=def"],
        ["status-set", "maintenance", "trying"],
    )
    probe.on("out-relation-created", *commands, "fail")
    probe.juju.integrate("a:out", "b:in")
    probe.juju.wait(lambda status: status.apps["a"].units["a/0"].is_error)
    relation = probe.juju.relation_id("a", "out")
    assert probe.juju.databag(relation, "a") == {}
    assert probe.juju.secrets() == []
    status = probe.juju.status().apps["a"].units["a/0"].workload_status
    assert status.message == 'hook failed: "out-relation-created"'
    probe.on("out-relation-created", *commands)
    probe.juju.settle()
    assert probe.juju.databag(relation, "a") == {"key": "value"}
    assert len(probe.juju.secrets()) == 1
    hooks = probe.hooks("a/0")
    first = hooks.index("out-relation-created")
    assert hooks[first + 1] == "out-relation-created"


def test_actions_run_and_fail(probe: Probe) -> None:
    probe.on("say", ["action-get", "--format=json", "word"], ["action-set", "a.b=c", "d=e"])
    probe.deploy("a")
    task = probe.juju.run("a/0", "say", {"word": "hi"})
    assert task.results == {"a": {"b": "c"}, "d": "e"}
    assert probe.outputs("a/0", "say")[0] == '"hi"\n'
    env = probe.records("a/0", "say")[0]["env"]
    assert env["JUJU_HOOK_NAME"] == ""
    assert env["JUJU_ACTION_NAME"] == "say"
    probe.on("say", ["action-fail", "--", "no", "way"], ["action-log", "--", "line"])
    with pytest.raises(jubilant.TaskError, match="no way") as caught:
        probe.juju.run("a/leader", "say")
    assert caught.value.task.log == ["line"]
    with pytest.raises(ValueError, match="not found"):
        probe.juju.run("a/0", "sing")


def test_refresh_upgrades_and_configures(probe: Probe, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(PROBE, other)
    probe.deploy("a")
    probe.juju.settle()
    probe.juju.refresh("a", path=other)
    probe.juju.settle()
    assert probe.hooks("a/0")[len(SETUP) :] == ["upgrade-charm", "config-changed"]


def test_another_leader_is_elected(probe: Probe) -> None:
    probe.deploy("a", 2)
    probe.juju.settle()
    probe.juju.set_leader("a/1")
    probe.juju.settle()
    assert probe.hooks("a/1")[-1] == "leader-elected"
    assert probe.juju.show_unit("a/1").leader
    assert not probe.juju.show_unit("a/0").leader


def test_update_status_and_storage(probe: Probe) -> None:
    probe.on("update-status", ["storage-list"], ["storage-get", "-s", "data/0", "location"])
    probe.deploy("a")
    probe.juju.settle()
    probe.juju.update_status("a/0")
    probe.juju.settle()
    location = probe.juju.storage("a/0", "data")
    assert probe.outputs("a/0", "update-status") == ["data/0\n", f"{location}\n"]
    (location / "kept").write_text("x")
    probe.juju.remove_unit("a/0")
    probe.juju.settle()
    probe.juju.add_unit("a", attach_storage="data/0")
    probe.juju.settle()
    assert (probe.juju.storage("a/1", "data") / "kept").read_text() == "x"


@pytest.mark.parametrize("hook", ["update-status", "secret-expired"])
def test_an_event_that_is_fired_runs_once(probe: Probe, hook: str) -> None:
    probe.deploy("a")
    probe.juju.settle()
    probe.juju.fire("a/0", localjuju.Event(hook, hook))
    probe.juju.settle()
    assert probe.hooks("a/0") == [*SETUP, hook]


def test_nothing_is_left_behind(probe: Probe) -> None:
    probe.on("start", "daemon")
    probe.deploy("a")
    probe.juju.settle()
    alive = descendants(probe.juju._engine.host.pid)
    assert any("sleep" in command_line(pid) for pid in alive)
    probe.juju.close()
    assert not probe.juju.directory.exists()
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in alive) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(Path(f"/proc/{pid}").exists() for pid in alive)


def test_a_hook_that_hangs_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    environment = {"PROBE_SCRIPT": str(script)}
    with localjuju.Juju(environment=environment) as juju:
        probe = Probe(juju, script)
        probe.deploy("a")
        juju.settle()
        juju.hook_timeout = 1.0
        probe.on("update-status", ["sleep", "1000"])
        juju.update_status("a/0")
        juju.wait(lambda status: status.apps["a"].units["a/0"].is_error)
        juju.hook_timeout = 60.0
        probe.on("update-status")
        juju.settle()


def test_a_unit_in_error_runs_actions_and_can_be_resolved_or_removed(probe: Probe) -> None:
    probe.deploy("a", 2)
    probe.juju.settle()
    probe.on("update-status", "fail")
    probe.on("say", ["action-set", "k=v"])
    probe.juju.automatically_retry_hooks = False
    for unit in ("a/0", "a/1"):
        probe.juju.update_status(unit)
    probe.juju.wait(lambda status: jubilant.all_error(status, "a"))
    assert probe.juju.run("a/0", "say").results == {"k": "v"}
    probe.juju.cli("resolve", "--no-retry", "a/0")
    probe.juju.wait(lambda status: not status.apps["a"].units["a/0"].is_error)
    probe.juju.remove_unit("a/1", force=True)
    probe.juju.wait(lambda status: "a/1" not in status.apps["a"].units)
    assert probe.hooks("a/0").count("update-status") == 1


def test_a_relation_that_is_removed_during_relation_created_ends(probe: Probe) -> None:
    probe.deploy("a")
    probe.deploy("b")
    probe.juju.settle()
    probe.on("out-relation-created", probe.wait_at_gate, ["relation-set", "--app", "k=v"])
    probe.juju.integrate("a:out", "b:in")
    probe.await_hook("a/0", "out-relation-created")
    probe.juju.remove_relation("a:out", "b:in")
    probe.open_gate()
    probe.juju.settle()
    assert probe.outputs("a/0", "out-relation-created") == ["", ""]
    assert probe.hooks("a/0")[-1] == "out-relation-broken"


def test_a_relation_that_is_removed_before_relation_created_ends(probe: Probe) -> None:
    """An agent enters all relations at once, and is told of them one after the other."""
    probe.deploy("b")
    probe.deploy("a", 0)
    probe.juju.integrate("a:in", "b:out")
    relation = probe.juju.relation_id("a", "in")
    probe.juju.settle()
    removed: list[str] = []

    def remove_once(call: localjuju.HookCall) -> None:
        if call.event.hook == "mates-relation-created" and call.unit == "a/0" and not removed:
            removed.append(call.unit)
            engine = probe.juju._engine
            engine.controller.begin_relation_removal(engine.model.relations[relation])

    probe.juju.on_call(remove_once)
    probe.on("mates-relation-created", ["is-leader"])
    probe.juju.add_unit("a")
    probe.juju.settle()
    assert removed
    assert relation not in probe.juju.snapshot().relations
    assert "in-relation-broken" not in probe.hooks("a/0")
    probe.juju.integrate("a:in", "b:out")


def test_a_refresh_lets_a_running_hook_end(probe: Probe) -> None:
    probe.deploy("a")
    probe.juju.settle()
    probe.on("update-status", probe.wait_at_gate)
    probe.juju.update_status("a/0")
    probe.await_hook("a/0", "update-status")
    probe.juju.refresh("a")
    probe.open_gate()
    probe.juju.settle()
    assert probe.juju.failed_hooks() == ()
    assert "upgrade-charm" in probe.hooks("a/0")


def test_hooks_handle_signals_as_any_process(probe: Probe) -> None:
    probe.on("start", ["sh", "-c", "grep SigIgn /proc/self/status"])
    probe.deploy("a")
    probe.juju.settle()
    ignored = int(probe.outputs("a/0", "start")[0].split()[1], 16)
    assert not ignored & (1 << 14 | 1 << 1 | 1 << 0), "SIGTERM, SIGINT and SIGHUP"


def test_a_dying_leader_leads_until_its_agent_stops(probe: Probe) -> None:
    probe.on("stop", ["is-leader"])
    probe.deploy("a", 2)
    probe.juju.settle()
    probe.juju.remove_unit("a/0")
    probe.juju.settle()
    assert probe.outputs("a/0", "stop") == ["True\n"]
    assert probe.juju.show_unit("a/1").leader


def test_paths_are_relative_to_the_directory_of_the_caller(probe: Probe) -> None:
    probe.on("start", ["sh", "-c", "printf val > f && secret-add foo#file=f"])
    probe.deploy("a")
    probe.juju.settle()
    (secret,) = probe.juju.secrets()
    assert probe.juju.show_secret(secret.uri, reveal=True).content == {"foo": "val"}


def test_a_fork_of_the_program_does_not_keep_a_model_alive(probe: Probe) -> None:
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    try:
        start = time.monotonic()
        probe.juju.close()
        assert time.monotonic() - start < 10
        assert not probe.juju.directory.exists()
    finally:
        child.kill()
        child.join()


def test_a_listener_that_fails_stops_nothing(probe: Probe) -> None:
    def listener(_: object) -> None:
        raise BrokenPipeError

    probe.juju.timeline.listen(listener)
    probe.deploy("a")
    probe.juju.settle()
    assert probe.hooks("a/0") == SETUP


def test_a_warm_hook_finds_what_an_earlier_one_imported(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "charmcraft.yaml").write_text("name: late\ntype: charm\nsummary: Imports late.\n")
    (tmp_path / "src" / "charm.py").write_text(
        "import sys\n"
        "if __name__ == '__main__':\n"
        "    print('KNOWN', 'colorsys' in sys.modules)\n"
        "    import colorsys\n"
    )
    with localjuju.Juju(driver="warm") as juju:
        juju.deploy(tmp_path, "late")
        juju.settle()
        lines = [e.text for e in juju.timeline.entries("log") if e.text.startswith("KNOWN")]
    assert lines[:2] == ["KNOWN False", "KNOWN True"]


REPORTING = (
    "import importlib, os\n"
    "import word\n"
    "if __name__ == '__main__':\n"
    "    late = importlib.import_module('late_' + os.environ['JUJU_UNIT_NAME'][0])\n"
    "    print('REPORT', os.getppid(), word.WORD, late.__file__.startswith(os.getcwd()))\n"
)


def reporting(folder: Path, word: str) -> Path:
    """A charm that tells which interpreter it is forked from, and what that has imported."""
    (folder / "src").mkdir(exist_ok=True)
    (folder / "charmcraft.yaml").write_text("name: reporting\ntype: charm\nsummary: Reports.\n")
    (folder / "src" / "charm.py").write_text(REPORTING)
    (folder / "src" / "word.py").write_text(f"WORD = '{word}'\n")
    for app in "abc":
        (folder / "src" / f"late_{app}.py").touch()
    return folder


def last_report(juju: localjuju.Juju, unit: str) -> tuple[str, ...]:
    juju.settle()
    entries = [e for e in juju.timeline.entries("log") if e.subject == unit]
    return tuple(entries[-1].text.split()[1:])


def test_applications_of_one_charm_share_an_interpreter(tmp_path: Path) -> None:
    with localjuju.Juju(driver="warm") as juju:
        juju.deploy(reporting(tmp_path, "one"), "a")
        one, word, _ = last_report(juju, "a/0")
        assert word == "one"
        juju.deploy(tmp_path, "b")
        assert last_report(juju, "b/0")[:2] == (one, "one")
        first = next(e for e in juju.timeline.entries("log") if e.subject == "b/0")
        assert first.text.endswith("True"), "it imports from its own unit's directory"

        # The first one's files change under the interpreter.
        reporting(tmp_path, "another")
        juju.refresh("a")
        two, word, _ = last_report(juju, "a/0")
        assert (two != one, word) == (True, "another")
        juju.update_status("b/0")
        assert last_report(juju, "b/0")[0] != one
        juju.deploy(tmp_path, "c")
        assert last_report(juju, "c/0")[:2] == (two, "another")


def test_a_charm_that_changed_between_two_deploys_has_an_interpreter_of_its_own(
    tmp_path: Path,
) -> None:
    with localjuju.Juju(driver="warm") as juju:
        juju.deploy(reporting(tmp_path, "one"), "a")
        assert last_report(juju, "a/0")[1] == "one"
        juju.deploy(reporting(tmp_path, "another"), "b")
        assert last_report(juju, "b/0")[1] == "another"
        juju.update_status("a/0")
        assert last_report(juju, "a/0")[1] == "one"
