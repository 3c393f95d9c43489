"""The configuration files of the server and the Sentinel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from valkey_operator.rules.config_files import Configuration, min_replicas
from valkey_operator.rules.passwords import Passwords
from valkey_operator.rules.settings import Settings

A, B = "10.0.0.1", "10.0.0.2"
RUN_ID, OTHER_RUN_ID = "a1" * 20, "b2" * 20


@pytest.fixture
def configuration() -> Configuration:
    passwords = Passwords("admin", "replication", "sentinel", "peer")
    return Configuration(A, Path("/etc/valkey"), (8, 0, 1), 1 << 30, passwords, Settings())


def test_a_sentinel_file_keeps_what_sentinel_wrote_and_names_the_current_primary(
    configuration: Configuration,
) -> None:
    old = (
        f"sentinel monitor primary {A} 6379 2\n"
        "sentinel down-after-milliseconds primary 1\n"
        f"sentinel myid {RUN_ID}\nsentinel current-epoch 5\nsentinel config-epoch primary 4\n"
        f"sentinel known-replica primary {B} 6379\n"
        "sentinel known-replica primary 10.0.0.3 6379\n"
        f"sentinel known-sentinel primary 10.0.0.3 26379 {OTHER_RUN_ID}\n"
    )
    lines = configuration.sentinel(B, 3, old).splitlines()
    assert f"sentinel monitor primary {B} 6379 2" in lines
    assert "sentinel down-after-milliseconds primary 5000" in lines
    assert f"sentinel myid {RUN_ID}" in lines
    assert "sentinel current-epoch 5" in lines
    assert "sentinel known-replica primary 10.0.0.3 6379" in lines
    assert f"sentinel known-replica primary {B} 6379" not in lines
    assert f"sentinel known-sentinel primary 10.0.0.3 26379 {OTHER_RUN_ID}" in lines


def test_the_config_digest_changes_only_with_what_needs_a_restart(
    configuration: Configuration,
) -> None:
    live = replace(configuration.settings, down_after=9, failover_timeout=99, maxmemory=64)
    assert replace(configuration, settings=live, memory=1, address=B).digest == (
        configuration.digest
    )
    for other in (
        replace(configuration, version=(9, 1, 2)),
        replace(configuration, settings=replace(configuration.settings, io_threads=2)),
    ):
        assert other.digest != configuration.digest


def test_a_server_file_sets_the_primary_and_the_replicas_that_writes_need(
    configuration: Configuration,
) -> None:
    assert [min_replicas(units) for units in (1, 2, 3, 9)] == [0, 0, 1, 1]
    text = configuration.server(Path("/data"), A, 3)
    assert "min-replicas-to-write 1\n" in text
    assert "replica-priority 0\n" in text
    assert "replicaof" not in text
    assert f"replicaof {B} 6379\n" in configuration.server(Path("/data"), B, 3)
