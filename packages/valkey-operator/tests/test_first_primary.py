"""Whose data are the newest when no server is a primary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valkey_operator.decide.first_primary import choose_first_primary, choose_successor
from valkey_operator.model.cluster_state import ClusterState, SentinelState, ServerState
from valkey_operator.model.facts import Facts
from valkey_operator.model.peer_data import DataReport, Peer, SharedState
from valkey_operator.rules.append_only import Condition

PRESENT, EMPTY, DAMAGED = Condition.PRESENT, Condition.EMPTY, Condition.DAMAGED


def peer(number: int, report: DataReport | None, generation: int = 0) -> Peer:
    return Peer(f"valkey/{number}", f"10.0.1.{number}", generation=generation, data=report)


def report(number: int, time: float, *others: int) -> DataReport:
    """Of the former unit with this number, whose storage is attached to another unit now."""
    addresses = tuple(f"10.0.0.{other}" for other in others)
    return DataReport(PRESENT, time=time, address=f"10.0.0.{number}", others=addresses)


def test_units_without_data_begin_with_the_leader() -> None:
    peers = [peer(1, DataReport()), peer(2, DataReport())]
    assert choose_first_primary(peers, "10.0.1.2").address == "10.0.1.2"


def test_the_storage_that_was_left_last_begins() -> None:
    """Units 2, 1 and 0 were removed in this order, and their storage is attached."""
    removed = [report(2, 100.0, 0, 1), report(1, 200.0, 0), report(0, 300.0)]
    peers = [peer(number, entry) for number, entry in enumerate(removed, start=3)]
    assert choose_first_primary(peers, "10.0.1.3").address == "10.0.1.5"
    assert choose_first_primary(peers[::-1], "10.0.1.3").address == "10.0.1.5"


@pytest.mark.parametrize("numbers", [(2,), (1,), (2, 1)])
def test_storage_that_may_not_be_the_newest_is_asked_about(numbers: tuple[int, ...]) -> None:
    reports = {2: report(2, 100.0, 0, 1), 1: report(1, 200.0, 0)}
    choice = choose_first_primary([peer(n + 3, reports[n]) for n in numbers], "10.0.1.5")
    assert choice.address == ""
    assert "accept-data-loss" in choice.doubt
    assert "1970-01-01 00:0" in choice.doubt


def test_units_that_were_lost_together_need_all_their_storage() -> None:
    reports = [report(0, 10.0, 1, 2), report(1, 30.0, 0, 2), report(2, 20.0, 0, 1)]
    assert choose_first_primary([peer(n, r) for n, r in enumerate(reports)], "").address == (
        "10.0.1.1"
    )
    assert choose_first_primary([peer(n, r) for n, r in enumerate(reports[:2])], "").doubt


def test_damaged_storage_may_be_the_newest() -> None:
    peers = [peer(3, report(0, 300.0)), peer(4, DataReport(DAMAGED, address="10.0.0.1"))]
    assert choose_first_primary(peers, "").doubt
    accepted = DataReport(PRESENT, address="10.0.0.0", is_accepted=True)
    assert choose_first_primary([peer(3, accepted), peers[1]], "").address == "10.0.1.3"


def test_nothing_is_chosen_before_every_unit_has_reported() -> None:
    choice = choose_first_primary([peer(3, report(0, 300.0)), peer(4, None)], "10.0.1.3")
    assert (choice.address, choice.doubt) == ("", "")


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.floats(0, 1e10), st.sets(st.integers(0, 5))), min_size=1
    )
)
def test_what_begins_is_never_older_than_other_storage(
    entries: list[tuple[int, float, set[int]]],
) -> None:
    peers: list[Peer] = []
    for number, (epoch, time, others) in enumerate(entries):
        addresses = tuple(f"10.0.0.{other}" for other in others)
        data = DataReport(
            PRESENT, epoch=epoch, time=time, address=f"10.0.0.{number}", others=addresses
        )
        peers.append(peer(number, data))
    choice = choose_first_primary(peers, "")
    if not choice.address:
        assert choice.doubt
        return
    chosen = next(p.data for p in peers if p.address == choice.address)
    assert chosen
    for other in peers:
        assert other.data
        assert (chosen.epoch, chosen.time) >= (other.data.epoch, other.data.time)


# The successor of a primary whose data are missing.


def server(number: int, role: str = "slave") -> ServerState:
    return ServerState(address=f"10.0.1.{number}", role=role, primary="10.0.1.0", in_sync=False)


def sentinel(number: int) -> SentinelState:
    return SentinelState(
        address=f"10.0.1.{number}",
        primary="10.0.1.0",
        quorum=2,
        down_after=3000,
        failover_timeout=60000,
    )


def outage(
    withheld: DataReport, *answering: int, is_periodic: bool = False, times: tuple[int, ...] = ()
) -> Facts:
    """Unit 0 was the primary, and its server does not run."""
    reports = [withheld, *(DataReport(PRESENT, time=float(t)) for t in times or (10, 20))]
    return Facts(
        peers=tuple(peer(number, data, 1) for number, data in enumerate(reports)),
        shared=SharedState(),
        cluster=ClusterState(
            {s.address: s for s in map(server, answering)},
            {s.address: s for s in map(sentinel, range(3))},
            3,
        ),
        is_periodic=is_periodic,
    )


LOST = DataReport(EMPTY, is_withheld=True)


def test_the_replica_with_the_newest_data_succeeds_a_primary_without_its_data() -> None:
    assert choose_successor(outage(LOST, 1, 2)) == "10.0.1.2"
    assert choose_successor(outage(LOST, 1, 2, times=(30, 20))) == "10.0.1.1"


def test_no_replica_is_chosen_while_the_primary_may_come_back() -> None:
    assert choose_successor(outage(DataReport(PRESENT), 1, 2)) == ""
    assert choose_successor(outage(DataReport(PRESENT), 1, 2, is_periodic=True)) == "10.0.1.2"


def test_a_replica_that_does_not_answer_is_waited_for() -> None:
    assert choose_successor(outage(LOST, 1)) == ""
    assert choose_successor(outage(LOST, 1, is_periodic=True)) == "10.0.1.1"


def test_no_successor_is_needed_beside_a_primary() -> None:
    facts = outage(LOST, 1)
    cluster = ClusterState(
        {**facts.cluster.servers, "10.0.1.2": server(2, "master")}, facts.cluster.sentinels, 3
    )
    assert choose_successor(Facts(peers=facts.peers, shared=facts.shared, cluster=cluster)) == ""
