"""Holes that other rules have had, each with a control: what it does where the rule is wider."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from valkey_client import KeyPrefix, PrefixError
from valkey_client.messages import account_name
from valkey_client_testing import Binary

from .attempts import written
from .campaign import Outcome, attack
from .conftest import tenant, wider
from .estate import Estate
from .sentinel import SentinelEstate
from .servers import SHA

pytestmark = pytest.mark.isolation


@dataclass(frozen=True)
class Hole:
    """An attack that succeeds under a wider rule.

    Attributes:
        wider: What the rule would have to say besides.
        line: The attack.
        harm: What it changes; empty if it tells a secret.
        until: The first version in which the wider rule does not open it.
    """

    wider: tuple[str, ...]
    line: str
    harm: str = ""
    until: tuple[int, int, int] = (99, 0, 0)

    def is_open(self, outcome: Outcome) -> bool:
        return self.harm in outcome.harm if self.harm else outcome.learned


HOLES = {
    "FLUSHALL": Hole(("+flushall",), "FLUSHALL", "data"),
    "FLUSHDB": Hole(("+flushdb",), "SELECT 1 ; FLUSHDB", "data"),
    "SWAPDB": Hole(("+swapdb",), "SWAPDB 0 1", "data"),
    "FUNCTION": Hole(("+function",), "FUNCTION FLUSH", "functions"),
    "GEORADIUS": Hole(
        ("+georadius",),
        "GEORADIUS app:geo 1 1 10 m STORE app:x STORE web:geo",
        "data",
        until=(9, 1, 0),
    ),
    "PFMERGE": Hole(("+pfmerge",), "PFMERGE web:fresh", "data"),
    "CLIENT TRACKING": Hole(("+client|tracking",), "CLIENT TRACKING ON BCAST"),
    "PUBSUB CHANNELS": Hole(("+pubsub|channels",), "PUBSUB CHANNELS"),
    "SCAN": Hole(("+scan",), "SCAN 0 COUNT 1000"),
    "SORT BY and GET": Hole(
        ("allkeys",), "RPUSH app:names string ; SORT app:names BY nosort GET web:*"
    ),
    "undeclared keys": Hole(("allkeys",), "EVAL \"return redis.call('GET', 'web:string')\" 0"),
    "keyspace events": Hole(("&__keyevent@0__:*",), "PSUBSCRIBE __keyevent@0__:*"),
}


@pytest.mark.parametrize("name", HOLES)
def test_a_known_hole_is_closed(plain: Estate, name: str) -> None:
    outcome = attack(plain, *written(HOLES[name].line, plain.target))
    assert not outcome.harm
    assert not outcome.learned


@pytest.mark.parametrize("name", HOLES)
def test_a_known_hole_is_open_under_a_wider_rule(server: Binary, name: str) -> None:
    hole = HOLES[name]
    with Estate(server, tenant(), wider(server, *hole.wider)) as estate:
        outcome = attack(estate, *written(hole.line, estate.target))
    assert hole.is_open(outcome) == (server.version < hole.until), outcome


def test_migrate_connects_to_where_it_is_told(plain: Estate) -> None:
    call = ("MIGRATE", "127.0.0.1", plain.target.closed_port, "app:string", "0", "1000")
    assert attack(plain, call).is_refused
    with Estate(plain.binary, tenant(), ("+migrate",)) as wide:
        assert attack(wide, call).reply.startswith(b"-IOERR")


def test_a_hello_that_announces_a_primary(server: Binary) -> None:
    """Sentinels believe what is published on their channel."""

    def hijacked(*extra: str) -> bool:
        with Estate(server, tenant(), extra) as estate, SentinelEstate(estate) as sentinel:
            port = str(estate.closed_port)
            hello = f"127.0.0.1,{sentinel.closed_port},{'a' * 40},99,primary,127.0.0.1,{port},99"
            outcome = attack(estate, ("PUBLISH", "__sentinel__:hello", hello))
            if outcome.is_refused:
                return "what is watched" in sentinel.changes()
            deadline = time.monotonic() + 20
            while "what is watched" not in sentinel.changes() and time.monotonic() < deadline:
                time.sleep(0.05)
            return time.monotonic() < deadline

    assert not hijacked()
    assert hijacked("&*")


def test_a_script_that_changes_what_all_scripts_share(server: Binary) -> None:
    """Before 8.0.6 strings have one metatable for all scripts, and any script can change it.

    No rule closes this but one without scripts; the documentation names the versions.
    """
    script = (
        "getmetatable('').__index = function() return function() return 'mine' end end return 1"
    )
    with Estate(server, tenant()) as estate:
        outcome = attack(estate, ("EVAL", script, "0"))
    assert bool(outcome.harm) == (server.version < (8, 0, 6)), outcome


PREFIXES = ["app:* ~* +@all", "", "[^a]*", "?*"]


@pytest.mark.parametrize("prefix", [*PREFIXES, "app:* (x"])
def test_a_prefix_that_is_more_than_a_prefix_gets_no_rule(prefix: str) -> None:
    with pytest.raises(PrefixError):
        KeyPrefix.parse(prefix)
    with pytest.raises(PrefixError):
        tenant(prefix).server_rule((8, 0, 0))


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_server_that_is_given_such_a_prefix_opens_everything(
    newest: Binary, prefix: str
) -> None:
    with Estate(newest, tenant()) as estate:
        assert _loads(estate, f"user evil on #{SHA} ~{prefix or '*'} +@read")
        assert _may_read(estate, "evil")
        assert not _may_read(estate, "relation-1")


def test_a_server_that_is_given_an_open_parenthesis_loads_no_accounts(newest: Binary) -> None:
    with Estate(newest, tenant()) as estate:
        assert not _loads(estate, f"user evil on #{SHA} ~app:* (x +@read")


def test_a_line_in_a_request_id_adds_no_account(newest: Binary) -> None:
    request_id = f"1\nuser evil on #{SHA} ~* +@all\nuser rest"
    with Estate(newest, tenant()) as estate:
        rule = " ".join(tenant().server_rule(newest.version))
        assert _loads(estate, f"user {account_name(1, request_id)} {rule}")
        assert not _may_read(estate, "evil")
        assert _loads(estate, f"user relation-1-{request_id} {rule}")
        assert _may_read(estate, "evil")


def _loads(estate: Estate, line: str) -> bool:
    """Write a line into the server's ACL file as it stands, and have the server load it."""
    file = estate.folder / "users.acl"
    kept = file.read_text()
    file.write_text(f"{kept}{line}\n")
    answer = estate.admin.ask(("ACL", "LOAD"))
    file.write_text(kept)
    return answer == b"+OK\r\n"


def _may_read(estate: Estate, name: str) -> bool:
    return estate.admin.ask(("ACL", "DRYRUN", name, "GET", "web:string")) == b"+OK\r\n"
