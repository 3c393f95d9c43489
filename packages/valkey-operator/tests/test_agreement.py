"""When a leader waits for Sentinels and replicas to say something else."""

from __future__ import annotations

import pytest

from valkey_operator.agreement import is_changing
from valkey_operator.cluster import ClusterFacts, SentinelFacts, ServerFacts
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


@pytest.mark.parametrize(
    ("found", "move", "known", "changing"),
    [
        (facts("aaa", "a", "bc"), Move(), A, False),
        (facts("aa", follow=""), Move(), A, False),  # down, and nobody has begun a failover
        (facts("ab"), Move(), A, True),
        (facts("abb", "b", "c"), Move(), A, False),  # a majority is enough
        (facts("aba", "a", "c"), Move(A, B), A, True),  # woken before the others know
        (facts("aaa", "a", "bc"), Move(A, B), A, True),
        (facts("bb", "b", "c"), Move(A, B), A, False),
        (facts("bb", "b", "C"), Move(A, B), A, True),  # the other replica does not follow yet
        (facts("bb", "b", "C"), Move(), B, False),  # as it was: no reason to wait
        (facts("bb", "b", "A"), Move(A, B), A, False),  # the old primary takes its time
        (facts("ccc", "c", "ab"), Move(A, B), A, False),  # it has moved on since
    ],
)
def test_a_change_that_is_under_way(
    found: ClusterFacts, move: Move, known: str, changing: bool
) -> None:
    assert is_changing(found, move, known) is changing
