"""When a leader waits for Sentinels and replicas to say something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from valkey_client import Endpoint
from valkey_operator.model.cluster_state import ClusterState, SentinelState, ServerState
from valkey_operator.model.primary_change import NO_CHANGE, PrimaryChange
from valkey_operator.model.published_topology import PublishedTopology
from valkey_operator.servers.convergence import is_changing

IPS = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
A, B, C = IPS
A_TO_B = PrimaryChange(A, B)


def make_state(
    named: str, primary: str = "", replicas: str = "", ips: tuple[str, ...] = IPS
) -> ClusterState:
    """What servers and Sentinels say, one letter for each address.

    Args:
        named: The primary that each Sentinel names.
        primary: The server that is primary.
        replicas: The servers that follow it; in capitals, those that are not in sync.
        ips: The addresses.
    """
    address = dict(zip("abc", ips))
    servers: dict[str, ServerState] = {}
    if primary:
        servers[address[primary]] = ServerState(address=address[primary], role="master")
    for letter in replicas:
        servers[address[letter.lower()]] = ServerState(
            address=address[letter.lower()],
            role="slave",
            primary=address[primary],
            in_sync=letter.islower(),
        )
    sentinels = {
        ip: SentinelState(
            address=ip, primary=address[letter], quorum=2, down_after=1, failover_timeout=1
        )
        for ip, letter in zip(ips, named)
    }
    return ClusterState(servers, sentinels, 3)


def published(primary: str, *replicas: str) -> PublishedTopology:
    return PublishedTopology(
        (Endpoint(primary, 6379),), tuple(Endpoint(ip, 6379) for ip in replicas)
    )


ALL = published(A, B, C)


@pytest.mark.parametrize(
    ("state", "primary_change", "known"),
    [
        pytest.param(make_state("aaa", "a", "bc"), NO_CHANGE, ALL, id="no change"),
        pytest.param(make_state("aa"), NO_CHANGE, ALL, id="down, no failover yet"),
        pytest.param(make_state("abb", "b", "c"), NO_CHANGE, ALL, id="a majority agrees"),
        pytest.param(make_state("bb", "b", "c"), A_TO_B, ALL, id="failover is over"),
        pytest.param(
            make_state("bb", "b", "C"), A_TO_B, published(A), id="replica that clients do not know"
        ),
        pytest.param(
            make_state("bb", "b", "C"), A_TO_B, None, id="replica, and nothing was published"
        ),
        pytest.param(
            make_state("bb", "b", "A"), A_TO_B, ALL, id="former primary does not follow yet"
        ),
        pytest.param(make_state("ccc", "c", "ab"), A_TO_B, ALL, id="another failover since"),
        pytest.param(
            make_state("bb", "b", "C"), A_TO_B, published(A, f"1{C}"),
            id="an address that ends like a replica's",
        ),
        pytest.param(
            make_state("aaa", "a", "bC"), NO_CHANGE, published(f"1{A}", f"1{B}", f"1{C}"),
            id="addresses that end like the servers'",
        ),
    ],
)  # fmt: skip
def test_a_cluster_is_stable(
    state: ClusterState, primary_change: PrimaryChange, known: PublishedTopology | None
) -> None:
    assert not is_changing(state, primary_change, known)


@pytest.mark.parametrize(
    ("uptime", "synced_bytes", "expected"), [(1, None, True), (1, 0, False), (90, None, False)]
)
def test_a_replica_that_has_just_started_is_waited_for_unless_it_receives_all_data(
    uptime: int, synced_bytes: int | None, *, expected: bool
) -> None:
    state = make_state("aaa", "a", "bC")
    started = replace(state.servers[C], uptime=uptime, synced_bytes=synced_bytes)
    state = replace(state, servers={**state.servers, C: started})
    assert is_changing(state, NO_CHANGE, published(A)) is expected


V6 = ("fd00::1", "fd00::2", "fd00::3")


@pytest.mark.parametrize(
    ("state", "primary_change", "known"),
    [
        pytest.param(make_state("ab"), NO_CHANGE, ALL, id="Sentinels disagree"),
        pytest.param(make_state("aba", "a", "c"), A_TO_B, ALL, id="one Sentinel knows"),
        pytest.param(make_state("aaa", "a", "bc"), A_TO_B, ALL, id="no Sentinel knows yet"),
        pytest.param(make_state("bb", "b", "C"), A_TO_B, ALL, id="a replica does not follow yet"),
        pytest.param(make_state("aaa", "a", "bC"), NO_CHANGE, ALL, id="the primary came back"),
        pytest.param(
            make_state("aaa", "a", "bC", V6), NO_CHANGE, published(*V6), id="IPv6 replica"
        ),
    ],
)
def test_a_cluster_is_changing(
    state: ClusterState, primary_change: PrimaryChange, known: PublishedTopology
) -> None:
    assert is_changing(state, primary_change, known)


def test_ipv6_hosts_are_read_back_from_the_databag() -> None:
    text = published(*V6).text()
    stored = PublishedTopology.read(text)
    assert stored == published(*V6)
    assert stored.server_hosts == set(V6)
