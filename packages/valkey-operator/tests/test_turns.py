"""Whose turn it is to start its servers again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from valkey_operator.facts import Facts
from valkey_operator.observed import ClusterFacts, SentinelFacts, ServerFacts
from valkey_operator.peers import Peer, Shared
from valkey_operator.turns import must_switch_over, next_turn

IPS = ("10.0.0.1", "10.0.0.2", "10.0.0.3")


def facts(waiting: str, turn: str = "", wanted: str = "xxx", synced: str = "12") -> Facts:
    """Unit 0 has the primary; the others follow it."""
    peers = tuple(
        Peer(f"v/{n}", ip, started=True, wanted=wanted[n], needs_restart=str(n) in waiting)
        for n, ip in enumerate(IPS)
    )
    servers = {IPS[0]: ServerFacts(address=IPS[0], role="master")}
    for n in (1, 2):
        servers[IPS[n]] = ServerFacts(
            address=IPS[n], role="slave", primary=IPS[0], in_sync=str(n) in synced
        )
    sentinels = {
        ip: SentinelFacts(address=ip, primary=IPS[0], quorum=2, down_after=1, failover_timeout=1)
        for ip in IPS
    }
    return Facts(peers, Shared(turn=turn), ClusterFacts(servers, sentinels, 3))


@pytest.mark.parametrize(
    ("found", "turn"),
    [
        (facts(""), ""),
        (facts("012"), "v/1"),
        (facts("02", turn="v/1"), "v/2"),
        (facts("012", turn="v/1"), "v/1"),  # it is at it
        (facts("02", turn="v/2"), "v/2"),
        (facts("0"), "v/0"),
        (facts("0", wanted="xyx"), ""),  # another has not seen yet what this one has
        (facts("02", synced="2"), ""),  # the one before is not in sync yet
        (facts("02", turn="v/1", synced="2"), ""),
        (facts("012", turn="v/9"), "v/1"),  # a unit that was removed
    ],
)
def test_replicas_come_first_one_after_the_other(found: Facts, turn: str) -> None:
    assert next_turn(found) == turn


def test_nobody_gets_the_turn_while_a_unit_is_away() -> None:
    found = facts("012")
    cluster = found.cluster.without([IPS[2]])
    assert next_turn(replace(found, cluster=cluster)) == ""


def test_the_primary_is_handed_over_before_its_turn_if_somebody_can_take_it() -> None:
    found = facts("0")
    assert must_switch_over(found, "v/0")
    assert not must_switch_over(found, "v/1")
    assert not must_switch_over(replace(found, peers=found.peers[:1]), "v/0")
