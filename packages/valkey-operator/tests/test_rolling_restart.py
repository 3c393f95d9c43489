"""Which unit may restart its servers next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from valkey_operator.decide.rolling_restart import must_switch_over, next_unit_to_restart
from valkey_operator.model.cluster_state import ClusterState, SentinelState, ServerState
from valkey_operator.model.facts import Facts
from valkey_operator.model.peer_data import Peer, RestartNeed, SharedState

IPS = ("10.0.0.1", "10.0.0.2", "10.0.0.3")


def make_facts(
    waiting: str,
    restarting_unit: str = "",
    config_digests: str = "xxx",
    in_sync: str = "12",
    need: RestartNeed = RestartNeed.SERVERS,
) -> Facts:
    """Unit 0 has the primary; the others follow it.

    Args:
        waiting: The numbers of the units that need a restart.
        restarting_unit: The unit that has a permit.
        config_digests: What each unit should run with, one letter each.
        in_sync: The numbers of the replicas that are in sync.
        need: What has to be restarted on the units that wait.
    """
    peers = tuple(
        Peer(
            f"v/{n}",
            ip,
            generation=1,
            config_digest=config_digests[n],
            restart_need=need if str(n) in waiting else RestartNeed.NONE,
        )
        for n, ip in enumerate(IPS)
    )
    servers = {IPS[0]: ServerState(address=IPS[0], role="master")}
    for n in (1, 2):
        servers[IPS[n]] = ServerState(
            address=IPS[n], role="slave", primary=IPS[0], in_sync=str(n) in in_sync
        )
    sentinels = {
        ip: SentinelState(address=ip, primary=IPS[0], quorum=2, down_after=1, failover_timeout=1)
        for ip in IPS
    }
    return Facts(
        peers, SharedState(restarting_unit=restarting_unit), ClusterState(servers, sentinels, 3)
    )


@pytest.mark.parametrize(
    ("facts", "unit"),
    [
        pytest.param(make_facts(""), "", id="nobody waits"),
        pytest.param(make_facts("012"), "v/1", id="a replica first"),
        pytest.param(make_facts("02", "v/1"), "v/2", id="the next replica"),
        pytest.param(make_facts("012", "v/1"), "v/1", id="still restarting"),
        pytest.param(make_facts("02", "v/2"), "v/2", id="still restarting, the last replica"),
        pytest.param(make_facts("0"), "v/0", id="the primary last"),
        pytest.param(make_facts("0", config_digests="xyx"), "", id="not all read the config"),
        pytest.param(make_facts("02", in_sync="2"), "", id="a replica is not in sync"),
        pytest.param(make_facts("02", "v/1", in_sync="2"), "", id="the last one is not in sync"),
        pytest.param(make_facts("012", "v/9"), "v/1", id="the last one was removed"),
    ],
)
def test_replicas_restart_first_one_at_a_time(facts: Facts, unit: str) -> None:
    assert next_unit_to_restart(facts) == unit


def test_no_unit_restarts_while_another_does_not_answer() -> None:
    facts = make_facts("012")
    cluster = facts.cluster.without([IPS[2]])
    assert next_unit_to_restart(replace(facts, cluster=cluster)) == ""


def test_the_primary_is_switched_over_before_its_unit_restarts_if_there_is_a_replica() -> None:
    facts = make_facts("0")
    assert must_switch_over(facts, "v/0")
    assert not must_switch_over(facts, "v/1")
    assert not must_switch_over(replace(facts, peers=facts.peers[:1]), "v/0")


def test_a_restart_of_the_sentinel_alone_needs_no_switchover_and_no_order() -> None:
    facts = make_facts("012", need=RestartNeed.SENTINEL)
    assert next_unit_to_restart(facts) == "v/0"
    assert not must_switch_over(facts, "v/0")
