"""A hook that ended before the servers had settled leaves one further hook behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from valkey_client import Endpoint
from valkey_operator.decide.recheck import (
    DELAYS,
    next_delay,
    reason_to_recheck_cluster,
    reason_to_recheck_unit,
)
from valkey_operator.model.facts import Facts
from valkey_operator.model.start import Start, StartDecision
from valkey_operator.unit.recheck import keep_recheck

from .cluster_model import IPS, make_facts, make_plan, with_server, with_shared, without_units


class Workload:
    """A workload that only notes what it is asked to run later."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.pending: list[float] = []
        self.asked: list[float] = []

    def read(self, name: str) -> str | None:
        return self.files.get(name)

    def write(self, name: str, text: str) -> None:
        self.files[name] = text

    def remove(self, name: str) -> None:
        self.files.pop(name, None)

    def recheck_later(self, seconds: float) -> None:
        self.pending = [seconds]
        self.asked.append(seconds)

    def cancel_recheck(self) -> None:
        self.pending = []

    def is_recheck_pending(self) -> bool:
        return bool(self.pending)


@pytest.fixture
def workload() -> Workload:
    return Workload()


def keep(workload: Workload, reason: str, *, is_recheck: bool = False) -> None:
    keep_recheck(cast("Any", workload), reason, is_recheck=is_recheck)


def test_one_is_pending_at_a_time_and_none_when_all_has_settled(workload: Workload) -> None:
    for _ in range(3):
        keep(workload, "a is not in sync")
    assert workload.asked == [5]
    keep(workload, "")
    assert (workload.pending, workload.files) == ([], {})


def test_a_unit_that_still_waits_looks_again_later_and_later_and_then_not(
    workload: Workload,
) -> None:
    keep(workload, "a is not in sync")
    for _ in range(20):
        keep(workload, "a is not in sync", is_recheck=True)
    assert workload.asked == list(DELAYS)
    assert sum(DELAYS) < 300, "update-status comes then"
    assert max(DELAYS) <= 60


def test_another_reason_begins_anew(workload: Workload) -> None:
    for _ in range(20):
        keep(workload, "a is not in sync", is_recheck=True)
    keep(workload, "no answer from a")
    assert workload.asked[-1] == 5


def test_one_that_was_lost_with_the_agent_is_asked_for_again(workload: Workload) -> None:
    keep(workload, "a is not in sync")
    workload.pending = []
    keep(workload, "a is not in sync")
    assert workload.asked == [5, 10]


@pytest.mark.parametrize("text", ["", "x\na is not in sync", "²\na is not in sync", "\ufffd"])
def test_a_damaged_file_counts_as_none(workload: Workload, text: str) -> None:
    workload.files["recheck"] = text
    keep(workload, "a is not in sync")
    assert workload.asked == [5]


def test_no_delay_follows_the_last_one() -> None:
    assert next_delay(0) == 5
    assert next_delay(len(DELAYS)) is None


@pytest.mark.parametrize(
    ("start", "waits"),
    [
        (Start.PRIMARY, False),
        (Start.REPLICA, False),
        (Start.WAIT, True),
        (Start.BLOCKED, False),
    ],
)
def test_a_unit_waits_if_its_server_does(start: Start, waits: bool) -> None:
    assert bool(reason_to_recheck_unit(StartDecision(start))) == waits


def reason(facts: Facts) -> str:
    return reason_to_recheck_cluster(facts, make_plan(facts))


def test_a_healthy_cluster_waits_for_nothing() -> None:
    assert reason(make_facts()) == ""


def test_the_leader_waits_for_servers_that_do_not_answer() -> None:
    assert reason(without_units(make_facts(), IPS[1])) == "no answer from v/1"


def test_the_leader_waits_for_replicas() -> None:
    assert reason(with_server(make_facts(), IPS[1], in_sync=False)) == "v/1 is not in sync"


def test_the_leader_waits_for_a_primary() -> None:
    facts = with_server(make_facts(), IPS[0], role="slave")
    assert reason(facts) == "Sentinels do not agree on a primary"


def test_the_leader_waits_until_sentinels_can_forget_a_unit_that_was_replaced() -> None:
    published = make_plan(make_facts()).shared.published
    assert published is not None
    old = (*published.sentinel_endpoints[1:], Endpoint("10.9.9.9", 26379))
    facts = with_shared(make_facts(), published=replace(published, sentinel_endpoints=old))
    assert reason(facts) == "Sentinels have to forget 10.9.9.9"
