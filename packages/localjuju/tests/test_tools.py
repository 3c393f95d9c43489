"""Each hook command, as ops and charm libraries use it, with the error texts they look for."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
import yaml
from probe_model import Probe


def run(probe: Probe, *commands: Any, unit: str = "a/0") -> list[Any]:
    """Let a unit run commands, as one hook."""
    probe.on("update-status", *commands)
    probe.juju.update_status(unit)
    probe.juju.settle()
    return probe.outputs(unit, "update-status")


@pytest.fixture
def pair(probe: Probe) -> Probe:
    """a/0 and a/1 provide something to b/0."""
    probe.deploy("a", 2)
    probe.deploy("b")
    probe.juju.integrate("a:out", "b:in")
    probe.juju.settle()
    return probe


def test_relation_commands(pair: Probe) -> None:
    relation = pair.juju.relation_id("a", "out")
    ids, units, app, _, none, own = run(
        pair,
        ["relation-ids", "out", "--format=json"],
        ["relation-list", "-r", f"out:{relation}", "--format=json"],
        ["relation-list", "-r", str(relation), "--app", "--format=json"],
        {"run": ["relation-set", "-r", str(relation), "--app", "--file", "-"],
         "stdin": json.dumps({"k": "v\n\U0001f600", "gone": ""})},
        ["relation-get", "-r", str(relation), "--format=json", "--app", "missing", "b/0"],
        ["relation-get", "-r", str(relation), "--format=json", "--app", "-", "a/0"],
    )  # fmt: skip
    assert json.loads(ids) == [f"out:{relation}"]
    assert json.loads(units) == ["b/0"]
    assert json.loads(app) == "b"
    assert none == "null\n"
    assert json.loads(own) == {"k": "v\n\U0001f600"}
    assert pair.juju.databag(relation, "a") == {"k": "v\n\U0001f600"}
    databag = run(pair, ["relation-get", "-r", str(relation), "-", "a/0"], unit="b/0")[0]
    assert "private-address" in databag


def test_relation_errors(pair: Probe) -> None:
    relation = pair.juju.relation_id("a", "out")
    unknown, wrong, follower_read, follower_write, no_unit = run(
        pair,
        ["relation-get", "-r", "out:999", "-", "b/0"],
        ["relation-get", "-r", f"mates:{relation}", "-", "b/0"],
        ["relation-get", "-r", str(relation), "--app", "-", "a/1"],
        ["relation-set", "-r", str(relation), "--app", "k=v"],
        ["relation-get", "-r", str(relation), "-", "c/0"],
        unit="a/1",
    )
    assert "relation not found" in unknown
    assert "relation not found" in wrong
    assert "permission denied" in follower_read
    assert "cannot write relation settings" in follower_write
    assert "not found" in no_unit


def test_peers_read_what_the_leader_wrote(pair: Probe) -> None:
    mates = pair.juju.relation_id("a", "mates")
    run(pair, ["relation-set", "-r", str(mates), "--app", "k=v"])
    assert pair.hooks("a/1")[-1] == "mates-relation-changed"
    assert pair.hooks("a/0")[-1] == "update-status"
    outputs = run(pair, ["relation-get", "-r", str(mates), "--app", "k", "a/0"], unit="a/1")
    assert outputs == ["v\n"]


def test_secret_revisions_and_the_units_that_are_told(pair: Probe) -> None:
    relation = str(pair.juju.relation_id("a", "out"))
    (uri, merged) = run(pair, ["secret-add", "--label", "s", "abc=1"], ["true"])
    uri = uri.strip()
    assert uri.startswith("secret:") and len(uri) == 27
    denied = run(pair, ["secret-get", uri], unit="b/0")
    assert denied == ["ERROR permission denied"]
    run(pair, ["secret-grant", "--relation", relation, uri])
    (read,) = run(pair, ["secret-get", uri, "--label", "mine", "--format=json"], unit="b/0")
    assert json.loads(read) == {"abc": "1"}

    run(pair, ["secret-set", uri, "abc=2"], ["secret-set", uri, "abc=3"])
    (change,) = pair.records("b/0", "secret-changed")
    assert change["env"]["JUJU_SECRET_LABEL"] == "mine"
    old, peeked, new = run(
        pair,
        ["secret-get", "--label", "mine", "--format=json"],
        ["secret-get", "--label", "mine", "--peek", "--format=json"],
        ["secret-get", "--label", "mine", "--refresh", "--format=json"],
        unit="b/0",
    )
    assert [json.loads(x)["abc"] for x in (old, peeked, new)] == ["1", "3", "3"]
    secret = pair.juju.secrets()[0]
    assert secret.revision == 2, "two changes in one hook make one revision"
    (removal,) = pair.records("a/0", "secret-remove")
    assert removal["env"]["JUJU_SECRET_REVISION"] == "1"
    assert pair.records("a/1", "secret-remove") == []

    run(pair, ["secret-set", uri, "abc=3"])
    assert pair.juju.secrets()[0].revision == 2, "the same content makes none"
    assert len(pair.records("b/0", "secret-changed")) == 1


def test_a_creation_and_a_change_in_one_hook_are_one_revision(pair: Probe) -> None:
    run(pair, ["secret-add", "--label", "s", "abc=1"])
    pair.on("config-changed", ["sh", "-c", "secret-set $(secret-add --label t abc=1) abc=2"])
    pair.juju.config("a", {"number": 8})
    pair.juju.settle()
    secret = pair.juju.show_secret("t", reveal=True)
    assert (secret.revision, secret.content) == (1, {"abc": "2"})


def test_an_owner_refreshes_what_it_owns(pair: Probe) -> None:
    """As since Juju 3.1.7 and 3.3.1; charm libraries do."""
    run(pair, ["secret-add", "--label", "s", "abc=1"])
    run(pair, ["secret-set", pair.juju.show_secret("s").uri.unique_identifier, "abc=2"])
    (read,) = run(pair, ["secret-get", "--label", "s", "--refresh"])
    assert yaml.safe_load(read) == {"abc": "2"}


def test_secret_errors(pair: Probe) -> None:
    (uri,) = run(pair, ["secret-add", "--label", "s", "abc=1"])
    uri = uri.strip()
    again, bare, unknown, key, nothing = run(
        pair,
        ["secret-add", "--label", "s", "abc=1"],
        ["secret-get"],
        ["secret-get", "secret:aaaaaaaaaaaaaaaaaaaa"],
        ["secret-add", "A=1"],
        ["secret-add"],
    )
    assert "already exists" in again
    assert bare.startswith("ERROR either URI or label should be used")
    assert "not found" in unknown
    assert "not valid" in key
    assert "missing secret value" in nothing
    add, change, info, read = run(
        pair,
        ["secret-add", "abc=1"],
        ["secret-set", uri, "abc=2"],
        ["secret-info-get", uri],
        ["secret-get", "--label", "s"],
        unit="a/1",
    )
    assert add == "ERROR this unit is not the leader"
    assert "not found" in change and "not found" in info
    assert read == "abc: '1'\n", "every unit may read what its application owns"


def test_a_peer_that_read_a_secret_is_told_of_its_change(pair: Probe) -> None:
    (uri,) = run(pair, ["secret-add", "--label", "s", "abc=1"])
    run(pair, ["secret-get", uri.strip()], unit="a/1")
    run(pair, ["secret-set", uri.strip(), "abc=2"])
    assert len(pair.records("a/1", "secret-changed")) == 1
    assert pair.records("a/0", "secret-changed") == []


def test_grants_end_with_the_relation_and_secrets_with_the_owner(pair: Probe) -> None:
    relation = str(pair.juju.relation_id("a", "out"))
    pair.on("update-status", ["sh", "-c", f"secret-grant -r {relation} $(secret-add abc=1)"])
    pair.juju.update_status("a/0")
    pair.juju.settle()
    (secret,) = pair.juju.secrets()
    assert secret.access and secret.access[0].target == "b"
    pair.juju.remove_relation("a:out", "b:in")
    pair.juju.settle()
    assert pair.juju.secrets()[0].access is None
    assert run(pair, ["secret-get", secret.uri], unit="b/0") == ["ERROR permission denied"]
    pair.juju.remove_application("a")
    pair.juju.wait(lambda status: "a" not in status.apps)
    assert pair.juju.secrets() == []


def test_secret_info_ids_rotation_and_expiry(pair: Probe) -> None:
    run(pair, ["secret-add", "--label", "s", "--rotate", "daily", "--description", "d", "abc=1"])
    info, ids = run(
        pair,
        ["secret-info-get", "--label", "s", "--format=json"],
        ["secret-ids", "--format=json"],
    )
    (identifier,) = json.loads(ids)
    fields = json.loads(info)[identifier]
    assert (fields["label"], fields["rotation"], fields["revision"]) == ("s", "daily", 1)
    pair.juju.rotate_secret("s")
    pair.juju.expire_secret("s")
    pair.juju.settle()
    assert pair.records("a/0", "secret-rotate")[0]["env"]["JUJU_SECRET_LABEL"] == "s"
    assert pair.records("a/0", "secret-expired")[0]["env"]["JUJU_SECRET_REVISION"] == "1"


def test_config_status_network_ports_state(pair: Probe) -> None:
    config, one, none, _, status, _, ports, network, _, state, leader = run(
        pair,
        ["config-get", "--format=json"],
        ["config-get", "number", "--format=json"],
        ["config-get", "unset", "--format=json"],
        ["status-set", "--application=False", "active", "--", "-dash"],
        ["status-get", "--include-data", "--format=json", "--application=false"],
        ["open-port", "6379"],
        ["opened-ports", "--format=json"],
        ["network-get", "--format=json", "mates"],
        {"run": ["state-set", "--file", "-"], "stdin": '{"a": "b"}'},
        ["state-get", "--format=json", "a"],
        ["is-leader", "--format=json"],
    )
    assert json.loads(config) == {"text": "x", "number": 5, "flag": False, "ratio": 0.5}
    assert (json.loads(one), json.loads(none)) == (5, None)
    assert json.loads(status)["message"] == "-dash"
    assert json.loads(ports) == ["6379/tcp"]
    address = pair.juju.address("a/0")
    assert json.loads(network)["ingress-addresses"] == [address]
    assert json.loads(network)["bind-addresses"][0]["addresses"][0]["value"] == address
    assert json.loads(state) == "b"
    assert json.loads(leader) is True
    unit = pair.juju.status().apps["a"].units["a/0"]
    assert unit.workload_status.message == "-dash"
    assert unit.open_ports == ["6379/tcp"]


def test_goal_state_counts_units_that_stay(pair: Probe) -> None:
    (goal,) = run(pair, ["goal-state", "--format=json"])
    units = json.loads(goal)["units"]
    assert units.keys() == {"a/0", "a/1"}
    assert all(unit["since"].endswith("Z") for unit in units.values())


def test_a_command_outside_of_a_hook_is_refused(pair: Probe) -> None:
    tool = pair.juju.bin / "is-leader"
    process = subprocess.run([tool], capture_output=True, text=True, check=False, env={})
    assert process.returncode == 1
    assert "no hook is running" in process.stderr


def test_unknown_options_are_refused(pair: Probe) -> None:
    (output,) = run(pair, ["relation-get", "--colour"])
    assert "option provided but not defined: --colour" in output
