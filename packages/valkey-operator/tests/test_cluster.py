"""What the conversation with servers and Sentinels does when some do not answer."""

from __future__ import annotations

from valkey_operator.model.cluster_state import SentinelState
from valkey_operator.servers.cluster import Cluster
from valkey_operator.servers.connection import ServerError


class Deaf(Cluster):
    """One Sentinel does not answer, and none may be reset."""

    def observe_sentinel(self, address: str) -> SentinelState:
        if address == "deaf":
            raise ServerError("no answer")
        return SentinelState(
            address=address, primary="a", quorum=2, down_after=1, failover_timeout=1, others=2,
            replicas=2,
        )  # fmt: skip

    def sentinel(self, address: str) -> None:
        raise AssertionError(address)


def test_no_sentinel_is_reset_while_another_does_not_answer() -> None:
    """It is not the fault of the one that was to be reset, and stops no other step."""
    Deaf("a password").reset_sentinel("a", ["a", "deaf"], others=2)
