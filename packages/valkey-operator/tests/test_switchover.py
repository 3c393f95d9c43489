"""Which error a switchover raises if it cannot be done; tests/faults has those that can."""

from __future__ import annotations

import pytest

from valkey_operator.servers.cluster import connected
from valkey_operator.servers.switchover import SwitchoverError, switch_over

from .cluster_model import make_cluster

SILENT = ("127.0.99.1", "127.0.99.2", "127.0.99.3")
"""Addresses at which no server listens: localjuju gives none below 127.16."""


def test_servers_that_stopped_answering_raise_a_switchover_error() -> None:
    """Also when what was prepared cannot be undone: the hook of a rolling restart must not fail."""
    state = make_cluster(SILENT[0], SILENT)
    with (
        connected("a password") as cluster,
        pytest.raises(SwitchoverError, match="a server does not answer"),
    ):
        switch_over(cluster, state, to=SILENT[1])


@pytest.mark.parametrize(
    ("members", "to", "reason"),
    [
        (SILENT, SILENT[0], f"^{SILENT[0]} is the primary already$"),
        (SILENT, "127.0.99.4", f"^127.0.99.4 is not in sync with the primary {SILENT[0]}; try"),
        (SILENT[:1], "", f"^no replica is in sync with the primary {SILENT[0]}$"),
    ],
    ids=["already the primary", "not in sync", "no replica"],
)
def test_an_impossible_switchover_is_refused_before_any_server_is_asked(
    members: tuple[str, ...], to: str, reason: str
) -> None:
    state = make_cluster(SILENT[0], members)
    with connected("a password") as cluster, pytest.raises(SwitchoverError, match=reason):
        switch_over(cluster, state, to=to)
