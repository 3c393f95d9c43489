"""Who is primary, and what a Sentinel's file keeps when it is written anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from valkey_operator.rules.config_files import Configuration, min_replicas, recorded_primary
from valkey_operator.rules.epochs import PrimaryClaim, agreed_primary, is_certain, latest_primary
from valkey_operator.rules.passwords import Passwords
from valkey_operator.rules.settings import Settings

A, B = "10.0.0.1", "10.0.0.2"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], ""),
        ([PrimaryClaim()], ""),
        ([PrimaryClaim(A)], A),
        (
            [PrimaryClaim(A, 1), PrimaryClaim(A, 1), PrimaryClaim(B, 2)],
            B,
        ),  # two were away during the last failover
        ([PrimaryClaim(A), PrimaryClaim(B), PrimaryClaim(B)], B),
        ([PrimaryClaim("", 7), PrimaryClaim(A, 1)], A),
    ],
)
def test_the_latest_failover_counts(found: list[PrimaryClaim], expected: str) -> None:
    assert latest_primary(found) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], ""),
        ([PrimaryClaim(A), PrimaryClaim(B)], ""),
        ([PrimaryClaim(A), PrimaryClaim(B), PrimaryClaim(B)], B),
        (
            [PrimaryClaim(A), PrimaryClaim(A), PrimaryClaim(B, 1)],
            B,
        ),  # the two were away, or watch who is gone
    ],
)
def test_what_clients_are_told_is_not_guessed(found: list[PrimaryClaim], expected: str) -> None:
    assert agreed_primary(found) == expected


def test_a_sentinel_that_names_another_by_an_older_failover_is_behind() -> None:
    assert PrimaryClaim(A, 1).is_before(B, 2)
    assert not PrimaryClaim(B, 0).is_before(B, 2), "it has not heard the number yet"
    assert not PrimaryClaim(A, 3).is_before(B, 2), "the databag is late"
    assert not PrimaryClaim().is_before(B, 2)


@pytest.fixture
def configuration() -> Configuration:
    passwords = Passwords("admin", "replication", "sentinel", "peer")
    return Configuration(A, Path("/etc/valkey"), (8, 0, 1), 1 << 30, passwords, Settings())


def test_a_sentinel_keeps_what_it_learned_and_watches_the_present_primary(
    configuration: Configuration,
) -> None:
    old = (
        f"sentinel monitor primary {A} 6379 2\n"
        "sentinel down-after-milliseconds primary 1\n"
        "sentinel myid 0123\nsentinel current-epoch 5\nsentinel config-epoch primary 4\n"
        f"sentinel known-replica primary {B} 6379\n"
        "sentinel known-replica primary 10.0.0.3 6379\n"
        "sentinel known-sentinel primary 10.0.0.3 26379 4567\n"
    )
    assert recorded_primary(old) == PrimaryClaim(A, 4)
    lines = configuration.sentinel(B, 3, old).splitlines()
    assert f"sentinel monitor primary {B} 6379 2" in lines
    assert "sentinel down-after-milliseconds primary 5000" in lines
    assert "sentinel myid 0123" in lines
    assert "sentinel current-epoch 5" in lines
    assert "sentinel known-replica primary 10.0.0.3 6379" in lines
    assert f"sentinel known-replica primary {B} 6379" not in lines
    assert "sentinel known-sentinel primary 10.0.0.3 26379 4567" in lines


def test_what_can_be_set_while_servers_run_starts_none_again(
    configuration: Configuration,
) -> None:
    live = replace(configuration.settings, down_after=9, failover_timeout=99, maxmemory=1)
    assert replace(configuration, settings=live, memory=1, address=B).digest == (
        configuration.digest
    )
    for other in (
        replace(configuration, version=(9, 1, 2)),
        replace(configuration, settings=replace(configuration.settings, io_threads=2)),
    ):
        assert other.digest != configuration.digest


def test_a_primary_that_starts_with_two_replicas_needs_one(configuration: Configuration) -> None:
    assert [min_replicas(units) for units in (1, 2, 3, 9)] == [0, 0, 1, 1]
    text = configuration.server(Path("/data"), A, 3)
    assert "min-replicas-to-write 1\n" in text
    assert "replica-priority 0\n" in text
    assert "replicaof" not in text
    assert f"replicaof {B} 6379\n" in configuration.server(Path("/data"), B, 3)


@pytest.mark.parametrize(
    ("units", "enough"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3), (7, 4), (9, 5)]
)
def test_who_hears_enough_cannot_have_missed_a_failover(units: int, enough: int) -> None:
    """One less, and the others are a majority that could have agreed on one."""
    assert is_certain(enough, units)
    assert not is_certain(enough - 1, units)
