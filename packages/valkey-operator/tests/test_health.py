"""What the application's status says when servers and Sentinels do not work as they should."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from valkey_operator.decide.health import full_servers, remarks, service_problem
from valkey_operator.model.facts import Facts
from valkey_operator.rules.settings import Settings

from .cluster_model import make_facts


def facts_with(number: int, *, is_periodic: bool = False, **changes: Any) -> Facts:
    """Three units of which the first is the primary; one server says something else."""
    facts = make_facts()
    address = sorted(facts.cluster.servers)[number]
    server = replace(facts.cluster.servers[address], **changes)
    cluster = replace(facts.cluster, servers={**facts.cluster.servers, address: server})
    return replace(facts, cluster=cluster, is_periodic=is_periodic)


def test_a_service_that_works_has_no_problem_and_no_remark() -> None:
    assert service_problem(make_facts()) == ""
    assert list(remarks(make_facts())) == []


def test_a_primary_that_cannot_write_is_a_problem() -> None:
    problem = service_problem(facts_with(0, cannot_write=True))
    assert problem.startswith("Valkey on v/0, the primary, cannot write to its disk")


def test_a_replica_that_cannot_write_is_a_remark() -> None:
    facts = facts_with(1, cannot_write=True)
    assert service_problem(facts) == ""
    assert list(remarks(facts)) == ["v/1 cannot write to its disk"]


def test_a_replica_that_syncs_says_how_far_it_is() -> None:
    facts = facts_with(1, in_sync=False, synced_bytes=123_456_789)
    assert list(remarks(facts)) == [
        "v/1 is syncing: 123 MB received, the primary holds about 0 MB"
    ]
    assert list(remarks(facts_with(1, in_sync=False))) == ["v/1 is not in sync with the primary"]


def test_a_second_primary_is_a_remark() -> None:
    assert list(remarks(facts_with(1, role="master"))) == [
        "v/1 is a second primary, and what is written to it will be lost"
    ]


@pytest.mark.parametrize("is_periodic", [False, True])
def test_refused_writes_are_a_problem_once_they_last(*, is_periodic: bool) -> None:
    facts = make_facts(is_periodic=is_periodic)
    servers = {
        address: replace(
            server,
            in_sync=server.is_primary,
            settings={**server.settings, "min-replicas-to-write": "1"},
        )
        for address, server in facts.cluster.servers.items()
    }
    facts = replace(facts, cluster=replace(facts.cluster, servers=servers))
    problem = service_problem(facts)
    assert problem.startswith("Writes are refused: no replica is in sync with v/0") == is_periodic


def test_sentinels_that_do_not_watch_are_named() -> None:
    facts = make_facts()
    sentinels = {
        address: replace(sentinel, in_tilt=address.endswith("2"))
        for address, sentinel in facts.cluster.sentinels.items()
    }
    cluster = replace(facts.cluster, sentinels=sentinels)
    (in_tilt,) = (a for a, sentinel in sentinels.items() if sentinel.in_tilt)
    assert list(remarks(replace(facts, cluster=cluster))) == [
        f"Sentinel of {facts.unit_at(in_tilt)} is in TILT mode and does not fail over"
    ]
    idle = replace(facts.cluster, idle_sentinels=frozenset({in_tilt}))
    assert list(remarks(replace(facts, cluster=idle))) == [
        f"Sentinel of {facts.unit_at(in_tilt)} monitors nothing"
    ]


@pytest.mark.parametrize(("seconds", "warns"), [(1, True), (3, True), (4, False), (5, False)])
def test_a_down_after_with_which_no_failover_may_follow_is_a_remark(
    seconds: int, *, warns: bool
) -> None:
    facts = replace(make_facts(), settings=Settings(down_after=seconds))
    assert bool(list(remarks(facts))) == warns


def test_servers_that_clients_have_filled_are_named() -> None:
    facts = make_facts()
    assert full_servers(facts) == ""
    address = sorted(facts.cluster.servers)[1]
    cluster = replace(facts.cluster, full_servers=frozenset({address}))
    assert full_servers(replace(facts, cluster=cluster)).startswith(
        "Clients hold all connections of Valkey on v/1, and nobody else can connect: "
    )
