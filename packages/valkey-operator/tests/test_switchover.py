"""What a switchover says when it cannot be done; tests/faults has those that can."""

from __future__ import annotations

import cluster_model
import pytest

from valkey_operator.servers.cluster import connected
from valkey_operator.servers.switchover import SwitchoverError, switch_over

NOBODY = ("127.0.99.1", "127.0.99.2", "127.0.99.3")
"""Addresses at which no server listens: localjuju gives none below 127.16."""


def test_servers_that_went_away_since_are_one_error_of_its_own() -> None:
    """Also when what was prepared cannot be undone: a hook that gives a turn must not fail."""
    facts = cluster_model.cluster(NOBODY[0], NOBODY)
    with (
        connected("a password") as cluster,
        pytest.raises(SwitchoverError, match="a server does not answer"),
    ):
        switch_over(cluster, facts, to=NOBODY[1])


@pytest.mark.parametrize(
    ("members", "to", "reason"),
    [
        (NOBODY, NOBODY[0], f"^{NOBODY[0]} is the primary already$"),
        (NOBODY, "127.0.99.4", f"^127.0.99.4 is not in sync with the primary {NOBODY[0]}; try"),
        (NOBODY[:1], "", f"^no replica is in sync with the primary {NOBODY[0]}$"),
    ],
)
def test_one_that_makes_no_sense_asks_nobody(
    members: tuple[str, ...], to: str, reason: str
) -> None:
    facts = cluster_model.cluster(NOBODY[0], members)
    with connected("a password") as cluster, pytest.raises(SwitchoverError, match=reason):
        switch_over(cluster, facts, to=to)
