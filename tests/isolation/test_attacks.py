"""Every command of every server, tried on another tenant."""

from __future__ import annotations

import os
from typing import Any

import pytest

from valkey_client_testing import Binary

from .attempts import attempts, written
from .campaign import Campaign, attack, cunning, reviewed
from .conftest import find_all, tenant, wider
from .estate import Estate
from .page import PAGE, differing, read, series_of
from .sentinel import SentinelEstate

pytestmark = pytest.mark.isolation

WANTED = {("8.0", True), ("9.1", False), ("9.1", True)}
"""What CI must try: series and whether it has TLS."""


FURTHER_CHANNELS: dict[str, Any] = {
    "channel_patterns": ("app:/0.celeryev/*", "app:room.*"),
    "keyspace_events": True,
}


@pytest.mark.skipif("CI" not in os.environ, reason="a contributor has the servers that are there")
def test_ci_has_every_server() -> None:
    there = {(series_of(binary.version), binary.has_tls) for binary in find_all()}
    assert there >= WANTED, "run .ci/servers"


def test_nothing_of_another_tenant_is_touched_or_learned(campaign: Campaign) -> None:
    assert campaign.wrongs == ()
    # A generator that makes nothing would find nothing.
    assert campaign.count > 3000
    assert {"get", "client|kill", "eval", "migrate", "shutdown"} <= campaign.verdicts.keys()


def test_nothing_of_another_tenant_is_touched_or_learned_from_an_own_database(
    database_campaign: Campaign | None,
) -> None:
    if database_campaign:
        assert database_campaign.wrongs == ()
        own = {
            name
            for name, verdict in database_campaign.verdicts.items()
            if verdict == "own database"
        }
        assert own == reviewed("database").keys()


def test_further_channels_give_nothing_of_another_tenant(server: Binary) -> None:
    with Estate(server, tenant(**FURTHER_CHANNELS)) as estate:
        for line in cunning("server"):
            outcome = attack(estate, *written(line, estate.target))
            assert not outcome.harm, outcome
            assert not outcome.learned, outcome
        told = attack(estate, ("PSUBSCRIBE", "__keyspace@0__:app:*"), ("SET", "app:string", "x"))
        assert b"__keyspace@0__:app:string" in told.reply


def test_nothing_of_a_sentinel_is_touched_or_learned(sentinel_campaign: Campaign) -> None:
    assert sentinel_campaign.wrongs == ()
    assert sentinel_campaign.count > 300
    assert {"sentinel|failover", "publish", "shutdown"} <= sentinel_campaign.verdicts.keys()


def test_the_page_says_what_was_found(
    server: Binary,
    campaign: Campaign,
    database_campaign: Campaign | None,
    sentinel_campaign: Campaign,
) -> None:
    page = read(PAGE.read_text())
    series = series_of(server.version)
    advice = "run: uv run python -m tests.isolation"
    assert page["server"].get(series) == campaign.verdicts, advice
    own = differing(database_campaign.verdicts, campaign.verdicts) if database_campaign else {}
    assert page["database"].get(series) == own, advice
    assert page["sentinel"].get(series) == sentinel_campaign.verdicts, advice


# What the suite says when the rule is wider: that it can see harm at all, and tells which.
SEEN = {
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
TOLD = ["slowlog|get", "keys", "monitor", "client|list", "function|list", "acl|users", "scan"]


@pytest.mark.parametrize("name", SEEN)
def test_the_suite_sees_the_harm_that_a_wider_rule_lets_through(newest: Binary, name: str) -> None:
    with Estate(newest, tenant(), wider(newest, f"+{name}")) as estate:
        harm: set[str] = set()
        for attempt in attempts(estate.table[name], estate.target):
            harm |= set(attack(estate, attempt.words).harm)
            if harm:
                break
    assert SEEN[name] in harm


@pytest.mark.parametrize("name", TOLD)
def test_the_suite_sees_what_a_wider_rule_tells(newest: Binary, name: str) -> None:
    with Estate(newest, tenant(), wider(newest, f"+{name}")) as estate:
        tried = attempts(estate.table[name], estate.target)
        assert any(attack(estate, attempt.words).learned for attempt in tried)


def test_the_suite_sees_that_an_answer_tells_what_exists(newest: Binary) -> None:
    with Estate(newest, tenant(), ("%W~*", "+@write")) as estate:
        tried = attempts(estate.table["setnx"], estate.target)
        assert any(attack(estate, a.words, twin=a.twin).told_apart for a in tried)


def test_the_suite_sees_what_a_wider_rule_lets_through_on_a_sentinel(newest: Binary) -> None:
    with (
        Estate(newest, tenant()) as estate,
        SentinelEstate(estate, ("+sentinel",)) as sentinel,
    ):
        outcome = attack(sentinel, ("SENTINEL", "SET", "primary", "quorum", "9"))
        assert "what is watched" in outcome.harm
        outcome = attack(sentinel, ("SENTINEL", "CONFIG", "GET", "*"))
        assert outcome.learned
