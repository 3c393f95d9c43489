"""What programs read of a model, and how they steer it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from probe_model import Probe

import localjuju


@pytest.fixture
def probe(tmp_path: Path) -> Generator[Probe]:
    script = tmp_path / "script.json"
    with localjuju.Juju(environment={"PROBE_SCRIPT": str(script)}) as juju:
        yield Probe(juju, script)


def test_a_snapshot_does_not_change_with_the_model(probe: Probe) -> None:
    probe.on("config-changed", ["relation-set", "-r", "mates:0", "k=v"])
    probe.on("leader-elected", ["secret-add", "--label", "s", "abc=1"])
    probe.deploy("a", 2)
    probe.juju.settle()
    snapshot = probe.juju.snapshot()
    assert [unit.name for unit in snapshot.units("a")] == ["a/0", "a/1"]
    assert snapshot.leader("a") == "a/0"
    (relation,) = snapshot.relations_of("a")
    assert (relation.is_peer, relation.endpoints) == (True, {"a": "mates"})
    assert relation.databags["a/0"]["k"] == "v"
    secret = snapshot.secret("s")
    assert secret is not None
    assert (secret.owner, secret.revision, secret.content) == ("a", 1, {"abc": "1"})
    assert snapshot.secret(secret.uri) == secret

    probe.juju.remove_unit("a/0")
    probe.juju.settle()
    assert snapshot.leader("a") == "a/0"
    assert relation.databags["a/0"]["k"] == "v"
    assert probe.juju.leader("a") == "a/1"
    assert [unit.name for unit in probe.juju.units("a")] == ["a/1"]
    assert probe.juju.snapshot().unit("a/0") is None


def test_a_snapshot_tells_lost_dying_running_and_failed_units(probe: Probe) -> None:
    probe.deploy("a", 2)
    probe.juju.settle()
    probe.juju.automatically_retry_hooks = False
    probe.on("a/0 update-status", "fail")
    probe.juju.update_status("a/0")
    probe.juju.wait(lambda _: probe.juju.units("a")[0].failed is not None)
    (failure,) = probe.juju.failed_hooks("a")
    assert (failure.unit, failure.event.hook) == ("a/0", "update-status")
    assert probe.juju.failed_hooks("b") == ()
    probe.juju.lose("a/1")
    assert [unit.is_lost for unit in probe.juju.units("a")] == [False, True]
    probe.juju.cli("resolve", "--no-retry", "a/0")
    probe.on("stop", probe.wait_at_gate)
    probe.juju.remove_unit("a/0")
    probe.await_hook("a/0", "stop")
    assert probe.juju.units("a")[0].is_dying
    probe.open_gate()


def test_the_front_names_what_is_not_there(probe: Probe) -> None:
    for read in (probe.juju.units, probe.juju.leader, probe.juju.clear_leader):
        with pytest.raises(localjuju.LocalJujuError, match="there is no application a"):
            read("a")
    with pytest.raises(localjuju.LocalJujuError, match="there is no unit a/0"):
        probe.juju.address("a/0")
    with pytest.raises(localjuju.LocalJujuError, match="there is no secret s"):
        probe.juju.rotate_secret("s")


def test_calls_are_heard_until_the_subscription_ends(probe: Probe) -> None:
    calls: list[localjuju.HookCall] = []
    probe.on("update-status", ["relation-ids", "mates"], ["is-leader"])
    probe.deploy("a")
    probe.juju.settle()
    with probe.juju.on_call(calls.append):
        probe.juju.update_status("a/0")
        probe.juju.settle()
    probe.juju.update_status("a/0")
    probe.juju.settle()
    heard = [(call.unit, call.event.kind, call.command, call.arguments) for call in calls]
    assert heard == [
        ("a/0", "update-status", "relation-ids", ("mates",)),
        ("a/0", "update-status", "is-leader", ()),
    ]
    assert len({call.hook_id for call in calls}) == 1


def test_a_listener_that_raises_makes_the_hook_command_fail(probe: Probe) -> None:
    def refuse(call: localjuju.HookCall) -> None:
        raise localjuju.LocalJujuError("not now")

    probe.on("update-status", ["is-leader"])
    probe.deploy("a")
    probe.juju.settle()
    with probe.juju.on_call(refuse):
        probe.juju.update_status("a/0")
        probe.juju.settle()
    assert "not now" in probe.outputs("a/0", "update-status")[0]


def test_a_simulated_application_writes_its_databag_and_secrets(probe: Probe) -> None:
    probe.deploy("a")
    probe.juju.settle()
    other = probe.juju.simulate("other", "out", "thing", "provides")
    relation = other.integrate("a:in", {"k": "v"})
    probe.juju.settle()
    assert probe.hooks("a/0")[-4:] == [
        "in-relation-created",
        "in-relation-changed",
        "in-relation-joined",
        "in-relation-changed",
    ]
    probe.on("in-relation-changed", ["relation-get", "-r", str(relation), "--app", "k", "other"])
    probe.juju.set_databag(relation, "other", {"k": "w"})
    probe.juju.settle()
    assert probe.outputs("a/0", "in-relation-changed") == ["w\n"]

    uri = other.add_secret({"abc": "1"}, relation)
    probe.on("update-status", ["secret-get", uri])
    probe.juju.update_status("a/0")
    probe.juju.settle()
    assert probe.outputs("a/0", "update-status") == ["abc: '1'\n"]
    other.set_secret(uri, {"abc": "2"})
    probe.juju.settle()
    assert probe.hooks("a/0")[-1] == "secret-changed"

    other.remove_relation(relation)
    probe.juju.settle()
    assert probe.hooks("a/0")[-2:] == ["in-relation-departed", "in-relation-broken"]
    assert relation not in probe.juju.snapshot().relations
    seen = other.integrate("a:in", {"k": "v"}, seen="everything")
    probe.juju.settle()
    assert probe.hooks("a/0")[-1] == "in-relation-broken"
    assert probe.juju.relation_id("a", "in", "other") == seen
