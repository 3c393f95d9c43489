"""When a leader waits for Sentinels and replicas to say something else."""

from __future__ import annotations

import pytest

from valkey_operator.model.cluster_state import ClusterState, SentinelState, ServerState
from valkey_operator.servers.convergence import is_changing
from valkey_operator.workload.sentinel_script import PrimaryChange

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"


def facts(names: str, primary: str = "", follow: str = "") -> ClusterState:
    """Whom the Sentinels name, one letter each; who is primary and who follows it."""
    address = {"a": A, "b": B, "c": C}
    servers: dict[str, ServerState] = {}
    if primary:
        servers[address[primary]] = ServerState(address=address[primary], role="master")
    for letter in follow:
        servers[address[letter.lower()]] = ServerState(
            address=address[letter.lower()],
            role="slave",
            primary=address[primary],
            in_sync=letter.islower(),
        )
    sentinels = {
        at: SentinelState(
            address=at, primary=address[name], quorum=2, down_after=1, failover_timeout=1
        )
        for at, name in zip((A, B, C), names, strict=False)
    }
    return ClusterState(servers, sentinels, 3)


EVERYBODY = f"{A}:6379 {B}:6379,{C}:6379"


@pytest.mark.parametrize(
    ("found", "primary_change", "published", "changing"),
    [
        (facts("aaa", "a", "bc"), PrimaryChange(), EVERYBODY, False),
        (facts("aa", follow=""), PrimaryChange(), EVERYBODY, False),  # down; no failover has begun
        (facts("ab"), PrimaryChange(), EVERYBODY, True),
        (facts("abb", "b", "c"), PrimaryChange(), EVERYBODY, False),  # a majority is enough
        (
            facts("aba", "a", "c"),
            PrimaryChange(A, B),
            EVERYBODY,
            True,
        ),  # woken before the others know
        (facts("aaa", "a", "bc"), PrimaryChange(A, B), EVERYBODY, True),
        (facts("bb", "b", "c"), PrimaryChange(A, B), EVERYBODY, False),
        (facts("bb", "b", "C"), PrimaryChange(A, B), EVERYBODY, True),  # does not follow yet
        (facts("bb", "b", "C"), PrimaryChange(A, B), f"{A}:6379", False),  # nobody was told of it
        (
            facts("aaa", "a", "bC"),
            PrimaryChange(),
            EVERYBODY,
            True,
        ),  # the primary has just come back
        (
            facts("bb", "b", "A"),
            PrimaryChange(A, B),
            EVERYBODY,
            False,
        ),  # the old one takes its time
        (facts("ccc", "c", "ab"), PrimaryChange(A, B), EVERYBODY, False),  # it has moved on since
    ],
)
def test_a_change_that_is_under_way(
    found: ClusterState, primary_change: PrimaryChange, published: str, changing: bool
) -> None:
    assert is_changing(found, primary_change, published) is changing
