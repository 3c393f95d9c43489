from __future__ import annotations

from dataclasses import replace

import ops
import pytest
from cluster_model import IPS, account, cluster, serving

from valkey_operator.decide.status import application_status, sharing
from valkey_operator.model.cluster_state import ClusterState
from valkey_operator.rules.accounts import Version
from valkey_operator.rules.settings import Settings

ONE, TWO = account(), account("relation-2-r", "a:b:*", relation=2)


def test_all_is_well() -> None:
    status = application_status(serving(ONE), [ONE])
    assert status == ops.ActiveStatus("primary is v/0; 1 client account(s)")


def test_a_server_that_does_not_answer_is_named() -> None:
    made = serving()
    made = replace(made, cluster=made.cluster.without({IPS[1]}))
    assert "no answer from the server of v/1" in application_status(made, []).message


def test_a_person_is_needed_without_a_majority_of_sentinels() -> None:
    made = serving()
    made = replace(made, cluster=made.cluster.without({IPS[1], IPS[2]}))
    status = application_status(made, [])
    assert isinstance(status, ops.BlockedStatus)
    assert "bring back v/1, v/2" in status.message


def test_without_a_primary_it_waits() -> None:
    whole = cluster()
    sentinels = {ip: replace(s, primary=ip) for ip, s in whole.sentinels.items()}
    made = replace(serving(), cluster=ClusterState(whole.servers, sentinels, 3))
    assert isinstance(application_status(made, []), ops.WaitingStatus)


def test_who_shares_is_named_and_many_are_counted() -> None:
    assert sharing([ONE]) == ""
    assert sharing([TWO, ONE]) == "relations share keys: 1 (a:*), 2 (a:b:*)"
    many = [account(f"relation-{n}-r", relation=n) for n in range(1, 6)]
    assert sharing(many).endswith("3 (a:*) and 2 more")


def test_strict_isolation_that_does_not_hold_needs_a_person() -> None:
    made = serving(ONE, TWO, settings=Settings(isolation="strict"))
    status = application_status(made, [ONE, TWO])
    assert isinstance(status, ops.BlockedStatus)
    assert "isolation=strict" in status.message


@pytest.mark.parametrize(
    ("version", "advice"),
    [((8, 0, 1), "update to 8.0.6"), ((8, 0, 6), ""), ((8, 1, 3), "update to 8.1.4"),
     ((7, 2, 7), "update to 7.2.11"), ((8, 1, 8), ""), ((9, 0, 0), ""), ((9, 1, 2), "")],
)  # fmt: skip
def test_a_server_with_a_known_hole_is_named(version: Version, advice: str) -> None:
    status = application_status(serving(cluster=cluster(version=version)), [])
    assert (advice in status.message) and (bool(advice) == ("lets scripts" in status.message))
