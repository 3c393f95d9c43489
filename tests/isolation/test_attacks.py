"""Every command of every server, tried on another tenant."""

from __future__ import annotations

import os
from typing import Any

import pytest

from valkey_client_testing import Binary

from .attempts import attempts, written
from .conftest import find_all, tenant, wider
from .page import PAGE, differing, read, series_of
from .run_attacks import AttackResults, adversarial_lines, attack, reviewed
from .sentinel_testbed import SentinelTestbed
from .testbed import TenantTestbed

pytestmark = pytest.mark.isolation

REQUIRED_SERVERS = {("8.0", True), ("9.1", False), ("9.1", True)}
"""What CI must try: series and whether it has TLS."""


FURTHER_CHANNELS: dict[str, Any] = {
    "channel_patterns": ("app:/0.celeryev/*", "app:room.*"),
    "keyspace_events": True,
}


@pytest.mark.skipif("CI" not in os.environ, reason="a contributor has the servers that are there")
def test_ci_has_every_server() -> None:
    there = {(series_of(binary.version), binary.has_tls) for binary in find_all()}
    assert there >= REQUIRED_SERVERS, "run .ci/servers"


def test_account_cannot_change_or_read_another_tenant(results: AttackResults) -> None:
    assert results.violations == ()
    # A generator that makes nothing would find nothing.
    assert results.count > 3000
    assert {"get", "client|kill", "eval", "migrate", "shutdown"} <= results.verdicts.keys()


def test_account_with_own_database_cannot_change_or_read_another_tenant(
    database_results: AttackResults | None,
) -> None:
    if database_results:
        assert database_results.violations == ()
        own = {
            name
            for name, verdict in database_results.verdicts.items()
            if verdict == "own database"
        }
        assert own == reviewed("database").keys()


def test_channel_options_reveal_nothing_of_another_tenant(server: Binary) -> None:
    with TenantTestbed(server, tenant(**FURTHER_CHANNELS)) as testbed:
        for line in adversarial_lines("server"):
            outcome = attack(testbed, *written(line, testbed.target))
            assert not outcome.harm, outcome
            assert not outcome.learned, outcome
        outcome = attack(
            testbed, ("PSUBSCRIBE", "__keyspace@0__:app:*"), ("SET", "app:string", "x")
        )
        assert b"__keyspace@0__:app:string" in outcome.reply


def test_account_cannot_change_or_read_a_sentinel(sentinel_results: AttackResults) -> None:
    assert sentinel_results.violations == ()
    assert sentinel_results.count > 300
    assert {"sentinel|failover", "publish", "shutdown"} <= sentinel_results.verdicts.keys()


def test_commands_page_matches_the_attack_results(
    server: Binary,
    results: AttackResults,
    database_results: AttackResults | None,
    sentinel_results: AttackResults,
) -> None:
    page = read(PAGE.read_text())
    series = series_of(server.version)
    advice = "run: uv run python -m tests.isolation"
    assert page["server"].get(series) == results.verdicts, advice
    own = differing(database_results.verdicts, results.verdicts) if database_results else {}
    assert page["database"].get(series) == own, advice
    assert page["sentinel"].get(series) == sentinel_results.verdicts, advice


# What the suite says when the rule is wider: that it can see harm at all, and tells which.
HARMFUL = {
    "flushall": "data",
    "config|set": "configuration",
    "acl|setuser": "accounts",
    "function|delete": "functions",
    "script|flush": "script",
    "client|kill": "the other tenant's blocked connection",
    "client|unblock": "the other tenant's blocked connection",
    "replicaof": "role",
    "save": "saves",
    "slowlog|reset": "slow log",
    "latency|reset": "latency",
    "config|resetstat": "statistics",
}
DISCLOSING = [
    "slowlog|get",
    "keys",
    "monitor",
    "client|list",
    "function|list",
    "acl|users",
    "scan",
]


@pytest.mark.parametrize("name", HARMFUL)
def test_suite_detects_harm_under_a_wider_rule(newest: Binary, name: str) -> None:
    with TenantTestbed(newest, tenant(), wider(newest, f"+{name}")) as testbed:
        harm: set[str] = set()
        for attempt in attempts(testbed.table[name], testbed.target):
            harm |= set(attack(testbed, attempt.words).harm)
            if harm:
                break
    assert HARMFUL[name] in harm


@pytest.mark.parametrize("name", DISCLOSING)
def test_suite_detects_disclosure_under_a_wider_rule(newest: Binary, name: str) -> None:
    with TenantTestbed(newest, tenant(), wider(newest, f"+{name}")) as testbed:
        tried = attempts(testbed.table[name], testbed.target)
        assert any(attack(testbed, attempt.words).learned for attempt in tried)


def test_suite_detects_answers_that_reveal_what_exists(newest: Binary) -> None:
    with TenantTestbed(newest, tenant(), ("%W~*", "+@write")) as testbed:
        tried = attempts(testbed.table["setnx"], testbed.target)
        assert any(attack(testbed, a.words, twin=a.twin).reveals_existence for a in tried)


def test_suite_detects_harm_on_a_sentinel_under_a_wider_rule(newest: Binary) -> None:
    with (
        TenantTestbed(newest, tenant()) as testbed,
        SentinelTestbed(testbed, ("+sentinel",)) as sentinel,
    ):
        outcome = attack(sentinel, ("SENTINEL", "SET", "primary", "quorum", "9"))
        assert "what is watched" in outcome.harm
        outcome = attack(sentinel, ("SENTINEL", "CONFIG", "GET", "*"))
        assert outcome.learned
