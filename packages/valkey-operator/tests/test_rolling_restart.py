"""Whose turn it is to start its servers again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from valkey_operator.decide.rolling_restart import must_switch_over, next_unit_to_restart
from valkey_operator.model.cluster_state import ClusterState, SentinelState, ServerState
from valkey_operator.model.facts import Facts
from valkey_operator.peers import Peer, SharedState

IPS = ("10.0.0.1", "10.0.0.2", "10.0.0.3")


def facts(
    waiting: str, restarting_unit: str = "", wanted: str = "xxx", synced: str = "12"
) -> Facts:
    """Unit 0 has the primary; the others follow it."""
    peers = tuple(
        Peer(f"v/{n}", ip, started=True, wanted=wanted[n], needs_restart=str(n) in waiting)
        for n, ip in enumerate(IPS)
    )
    servers = {IPS[0]: ServerState(address=IPS[0], role="master")}
    for n in (1, 2):
        servers[IPS[n]] = ServerState(
            address=IPS[n], role="slave", primary=IPS[0], in_sync=str(n) in synced
        )
    sentinels = {
        ip: SentinelState(address=ip, primary=IPS[0], quorum=2, down_after=1, failover_timeout=1)
        for ip in IPS
    }
    return Facts(
        peers, SharedState(restarting_unit=restarting_unit), ClusterState(servers, sentinels, 3)
    )


@pytest.mark.parametrize(
    ("found", "restarting_unit"),
    [
        (facts(""), ""),
        (facts("012"), "v/1"),
        (facts("02", restarting_unit="v/1"), "v/2"),
        (facts("012", restarting_unit="v/1"), "v/1"),  # it is at it
        (facts("02", restarting_unit="v/2"), "v/2"),
        (facts("0"), "v/0"),
        (facts("0", wanted="xyx"), ""),  # another has not seen yet what this one has
        (facts("02", synced="2"), ""),  # the one before is not in sync yet
        (facts("02", restarting_unit="v/1", synced="2"), ""),
        (facts("012", restarting_unit="v/9"), "v/1"),  # a unit that was removed
    ],
)
def test_replicas_come_first_one_after_the_other(found: Facts, restarting_unit: str) -> None:
    assert next_unit_to_restart(found) == restarting_unit


def test_nobody_gets_the_turn_while_a_unit_is_away() -> None:
    found = facts("012")
    cluster = found.cluster.without([IPS[2]])
    assert next_unit_to_restart(replace(found, cluster=cluster)) == ""


def test_the_primary_is_handed_over_before_its_turn_if_somebody_can_take_it() -> None:
    found = facts("0")
    assert must_switch_over(found, "v/0")
    assert not must_switch_over(found, "v/1")
    assert not must_switch_over(replace(found, peers=found.peers[:1]), "v/0")
