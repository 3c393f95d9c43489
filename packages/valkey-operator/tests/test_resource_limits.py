"""What a server may take of its machine."""

from __future__ import annotations

import pytest

from valkey_operator.rules.resource_limits import (
    MEMORY_SHARE,
    replication_backlog,
    replication_buffer,
    resource_limits,
)
from valkey_operator.rules.settings import Settings

MIB, GIB = 2**20, 2**30


@pytest.mark.parametrize("memory", [512 * MIB, 2 * GIB, 24 * GIB, 256 * GIB])
def test_data_and_what_waits_for_replicas_fit_into_the_memory(memory: int) -> None:
    data = int(resource_limits(Settings(), memory)["maxmemory"])
    assert data == int(memory * MEMORY_SHARE)
    assert replication_backlog(memory) <= replication_buffer(memory)
    if memory >= 2 * GIB:
        assert data + replication_buffer(memory) <= memory * 0.9


def test_a_replica_may_lag_by_what_is_written_while_it_receives_all_data() -> None:
    limits = resource_limits(Settings(), 24 * GIB)
    assert f" slave {3 * GIB} 0 0 " in limits["client-output-buffer-limit"]
    assert limits["repl-backlog-size"] == str(384 * MIB)
    assert replication_buffer(512 * MIB) == 256 * MIB
    assert replication_backlog(512 * MIB) == 16 * MIB
