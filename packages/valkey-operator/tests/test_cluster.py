"""What the charm asks of servers and Sentinels when some do not answer."""

from __future__ import annotations

from valkey_operator.model.cluster_state import SentinelState
from valkey_operator.servers.cluster import Cluster
from valkey_operator.servers.connection import ServerError


class SilentSentinel(Cluster):
    """One Sentinel does not answer, and a command to any is a failure."""

    def observe_sentinel(self, address: str) -> SentinelState:
        if address == "silent":
            raise ServerError("no answer")
        return SentinelState(
            address=address, primary="a", quorum=2, down_after=1, failover_timeout=1, others=2,
            replicas=2,
        )  # fmt: skip

    def sentinel(self, address: str) -> None:
        raise AssertionError(address)


def test_no_sentinel_is_reset_while_another_does_not_answer() -> None:
    """That is no failure of the one that was to be reset, and other steps go on."""
    SilentSentinel("a password").reset_sentinel("a", ["a", "silent"], others=2)
