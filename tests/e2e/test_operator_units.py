"""Units of the operator come, go, lead and hang, and what applications have stays theirs."""

from __future__ import annotations

import json
import signal

import jubilant
import pytest

import localjuju

from ..conftest import ROOT, failed_hooks
from ..operator_model import OPERATOR, rest, send
from .accounts import can_log_in, credentials


@pytest.mark.parametrize("when", ["before", "after", "while-follower"])
def test_change_of_leader_keeps_access(juju: localjuju.Juju, when: str) -> None:
    juju.deploy(ROOT, OPERATOR, num_units=3)
    rest(juju)
    if when == "before":
        juju.set_leader(f"{OPERATOR}/1")
        juju.settle()
    juju.deploy(ROOT / "examples" / "greeter", "greeter", num_units=2)
    juju.integrate(OPERATOR, "greeter")
    if when == "while-follower":
        # The leader goes before it has seen the request; the others saw it as followers.
        juju.remove_unit(f"{OPERATOR}/0")
    juju.wait(lambda status: jubilant.all_active(status, "greeter"))
    juju.settle()
    if when == "after":
        juju.set_leader(f"{OPERATOR}/2")
        juju.set_leader("greeter/1")
        juju.settle()
    relation = juju.relation_id("greeter", "valkey")
    (account,) = credentials(juju, relation)
    for unit in juju.status().apps[OPERATOR].units:
        assert can_log_in(juju, unit, account)
    assert juju.run("greeter/1", "greet").results["times"] == "1"
    assert failed_hooks(juju) == []


def test_removing_the_leader_keeps_accounts(juju: localjuju.Juju) -> None:
    """All relations of a dying unit break, on the leader too, while they go on for the others."""
    juju.deploy(ROOT, OPERATOR, num_units=3)
    juju.deploy(ROOT / "examples" / "greeter", "greeter")
    juju.integrate(OPERATOR, "greeter")
    rest(juju)
    (account,) = credentials(juju, juju.relation_id("greeter", "valkey"))
    juju.remove_unit(f"{OPERATOR}/0")
    juju.settle()
    assert credentials(juju, juju.relation_id("greeter", "valkey")) == [account]
    for unit in (f"{OPERATOR}/1", f"{OPERATOR}/2"):
        assert can_log_in(juju, unit, account)
    assert juju.run("greeter/0", "greet").results["times"] == "1"
    assert not juju.databag(juju.relation_id("greeter", "valkey"), OPERATOR).get("status")
    answer = json.loads(juju.databag(juju.relation_id("greeter", "valkey"), OPERATOR)["requests"])[
        0
    ]
    assert len(answer["sentinel-endpoints"].split(",")) == 2
    assert failed_hooks(juju) == []


def test_scaling_to_zero_and_back_keeps_the_data(juju: localjuju.Juju) -> None:
    juju.deploy(ROOT, OPERATOR)
    juju.deploy(ROOT / "examples" / "greeter", "greeter")
    juju.integrate(OPERATOR, "greeter")
    juju.settle()
    assert juju.run("greeter/0", "greet").results["times"] == "1"
    juju.remove_unit(f"{OPERATOR}/0")
    juju.settle()
    juju.add_unit(OPERATOR, attach_storage="data/0")
    juju.settle()
    juju.wait(lambda status: jubilant.all_active(status, "greeter"))
    assert juju.run("greeter/0", "greet").results["times"] == "2"


def test_account_is_granted_once_every_server_answers(juju: localjuju.Juju) -> None:
    juju.deploy(ROOT, OPERATOR, num_units=3)
    juju.settle()
    send(juju, f"{OPERATOR}/2", "server", signal.SIGSTOP)
    try:
        juju.deploy(ROOT / "examples" / "greeter", "greeter")
        juju.integrate(OPERATOR, "greeter")
        juju.settle()
        status = juju.status().apps["greeter"].units["greeter/0"].workload_status
        assert f"{OPERATOR}/2 of Valkey must answer" in status.message
    finally:
        send(juju, f"{OPERATOR}/2", "server", signal.SIGCONT)
    juju.update_status(f"{OPERATOR}/0")
    juju.settle()
    (account,) = credentials(juju, juju.relation_id("greeter", "valkey"))
    assert all(can_log_in(juju, f"{OPERATOR}/{n}", account) for n in range(3))
    assert failed_hooks(juju) == []


def test_adding_and_removing_units_updates_endpoints(juju: localjuju.Juju) -> None:
    juju.deploy(ROOT, OPERATOR)
    juju.deploy(ROOT / "examples" / "greeter", "greeter")
    juju.integrate(OPERATOR, "greeter")
    juju.settle()
    juju.add_unit(OPERATOR, num_units=2)
    rest(juju)
    relation = juju.relation_id("greeter", "valkey")
    (account,) = credentials(juju, relation)
    assert all(can_log_in(juju, f"{OPERATOR}/{n}", account) for n in range(3))
    answer = json.loads(juju.databag(relation, OPERATOR)["requests"])[0]
    assert len(answer["read-only-endpoints"].split(",")) == 2
    assert len(answer["sentinel-endpoints"].split(",")) == 3
    juju.remove_unit(f"{OPERATOR}/2")
    juju.settle()
    answer = json.loads(juju.databag(relation, OPERATOR)["requests"])[0]
    gone = f"{juju.address(f'{OPERATOR}/0')}"
    assert answer["endpoints"].startswith(gone)
    assert len(answer["sentinel-endpoints"].split(",")) == 2
    assert juju.run("greeter/0", "greet").results["times"] == "1"
