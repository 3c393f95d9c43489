"""When a leader waits for Sentinels and replicas to say something else."""

from __future__ import annotations

import pytest

from valkey_operator.agreement import is_changing
from valkey_operator.observed import ClusterFacts, SentinelFacts, ServerFacts
from valkey_operator.workload.wake import Move

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.3"


def facts(names: str, primary: str = "", follow: str = "") -> ClusterFacts:
    """Whom the Sentinels name, one letter each; who is primary and who follows it."""
    address = {"a": A, "b": B, "c": C}
    servers: dict[str, ServerFacts] = {}
    if primary:
        servers[address[primary]] = ServerFacts(address=address[primary], role="master")
    for letter in follow:
        servers[address[letter.lower()]] = ServerFacts(
            address=address[letter.lower()],
            role="slave",
            primary=address[primary],
            in_sync=letter.islower(),
        )
    sentinels = {
        at: SentinelFacts(
            address=at, primary=address[name], quorum=2, down_after=1, failover_timeout=1
        )
        for at, name in zip((A, B, C), names, strict=False)
    }
    return ClusterFacts(servers, sentinels, 3)


EVERYBODY = f"{A}:6379 {B}:6379,{C}:6379"


@pytest.mark.parametrize(
    ("found", "move", "published", "changing"),
    [
        (facts("aaa", "a", "bc"), Move(), EVERYBODY, False),
        (facts("aa", follow=""), Move(), EVERYBODY, False),  # down; no failover has begun
        (facts("ab"), Move(), EVERYBODY, True),
        (facts("abb", "b", "c"), Move(), EVERYBODY, False),  # a majority is enough
        (facts("aba", "a", "c"), Move(A, B), EVERYBODY, True),  # woken before the others know
        (facts("aaa", "a", "bc"), Move(A, B), EVERYBODY, True),
        (facts("bb", "b", "c"), Move(A, B), EVERYBODY, False),
        (facts("bb", "b", "C"), Move(A, B), EVERYBODY, True),  # does not follow yet
        (facts("bb", "b", "C"), Move(A, B), f"{A}:6379", False),  # nobody was told of it
        (facts("aaa", "a", "bC"), Move(), EVERYBODY, True),  # the primary has just come back
        (facts("bb", "b", "A"), Move(A, B), EVERYBODY, False),  # the old one takes its time
        (facts("ccc", "c", "ab"), Move(A, B), EVERYBODY, False),  # it has moved on since
    ],
)
def test_a_change_that_is_under_way(
    found: ClusterFacts, move: Move, published: str, changing: bool
) -> None:
    assert is_changing(found, move, published) is changing
