"""Holes that other rules have had, each with a control: what it does where the rule is wider."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from valkey_client import KeyPrefix, PrefixError
from valkey_client.messages import account_name
from valkey_client_testing import Binary

from ..waits import until
from .attempts import written
from .conftest import tenant, wider
from .run_attacks import Outcome, attack
from .sentinel_testbed import SentinelTestbed
from .servers import SHA
from .testbed import TenantTestbed

pytestmark = pytest.mark.isolation


@dataclass(frozen=True)
class KnownAttack:
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

    def succeeds(self, outcome: Outcome) -> bool:
        return self.harm in outcome.harm if self.harm else outcome.learned


ATTACKS = {
    "FLUSHALL": KnownAttack(("+flushall",), "FLUSHALL", "data"),
    "FLUSHDB": KnownAttack(("+flushdb",), "SELECT 1 ; FLUSHDB", "data"),
    "SWAPDB": KnownAttack(("+swapdb",), "SWAPDB 0 1", "data"),
    "FUNCTION": KnownAttack(("+function",), "FUNCTION FLUSH", "functions"),
    "GEORADIUS": KnownAttack(
        ("+georadius",),
        "GEORADIUS app:geo 1 1 10 m STORE app:x STORE web:geo",
        "data",
        until=(9, 1, 0),
    ),
    "PFMERGE": KnownAttack(("+pfmerge",), "PFMERGE web:fresh", "data"),
    "CLIENT TRACKING": KnownAttack(("+client|tracking",), "CLIENT TRACKING ON BCAST"),
    "PUBSUB CHANNELS": KnownAttack(("+pubsub|channels",), "PUBSUB CHANNELS"),
    "SCAN": KnownAttack(("+scan",), "SCAN 0 COUNT 1000"),
    "SORT BY and GET": KnownAttack(
        ("allkeys",), "RPUSH app:names string ; SORT app:names BY nosort GET web:*"
    ),
    "undeclared keys": KnownAttack(
        ("allkeys",), "EVAL \"return redis.call('GET', 'web:string')\" 0"
    ),
    "keyspace events": KnownAttack(("&__keyevent@0__:*",), "PSUBSCRIBE __keyevent@0__:*"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_known_attack_is_refused(plain: TenantTestbed, name: str) -> None:
    outcome = attack(plain, *written(ATTACKS[name].line, plain.target))
    assert not outcome.harm
    assert not outcome.learned


@pytest.mark.parametrize("name", ATTACKS)
def test_known_attack_succeeds_under_a_wider_rule(server: Binary, name: str) -> None:
    known = ATTACKS[name]
    with TenantTestbed(server, tenant(), wider(server, *known.wider)) as testbed:
        outcome = attack(testbed, *written(known.line, testbed.target))
    assert known.succeeds(outcome) == (server.version < known.until), outcome


def test_migrate_is_refused_and_would_connect_to_any_address(plain: TenantTestbed) -> None:
    call = ("MIGRATE", "127.0.0.1", plain.target.closed_port, "app:string", "0", "1000")
    assert attack(plain, call).is_refused
    with TenantTestbed(plain.binary, tenant(), ("+migrate",)) as wide:
        assert attack(wide, call).reply.startswith(b"-IOERR")


def test_account_cannot_announce_a_primary_to_sentinels(server: Binary) -> None:
    """Sentinels believe what is published on their channel."""

    def hijacked(*extra: str) -> bool:
        with (
            TenantTestbed(server, tenant(), extra) as testbed,
            SentinelTestbed(testbed) as sentinel,
        ):
            port = str(testbed.closed_port)
            hello = f"127.0.0.1,{sentinel.closed_port},{'a' * 40},99,primary,127.0.0.1,{port},99"
            outcome = attack(testbed, ("PUBLISH", "__sentinel__:hello", hello))
            if outcome.is_refused:
                return "what is watched" in sentinel.changes()
            until(
                sentinel.changes,
                lambda changes: "what is watched" in changes,
                what="the Sentinel believes the announcement",
            )
            return True

    assert not hijacked()
    assert hijacked("&*")


def test_script_cannot_change_shared_lua_tables_since_8_0_6(server: Binary) -> None:
    """Before 8.0.6 strings have one metatable for all scripts, and any script can change it.

    No rule closes this but one without scripts; the documentation names the versions.
    """
    script = (
        "getmetatable('').__index = function() return function() return 'mine' end end return 1"
    )
    with TenantTestbed(server, tenant()) as testbed:
        outcome = attack(testbed, ("EVAL", script, "0"))
    assert bool(outcome.harm) == (server.version < (8, 0, 6)), outcome


PREFIXES = ["app:* ~* +@all", "", "[^a]*", "?*"]


@pytest.mark.parametrize("prefix", [*PREFIXES, "app:* (x"])
def test_prefix_with_acl_syntax_is_rejected(prefix: str) -> None:
    with pytest.raises(PrefixError):
        KeyPrefix.parse(prefix)
    with pytest.raises(PrefixError):
        tenant(prefix).server_rule((8, 0, 0))


@pytest.mark.parametrize("prefix", PREFIXES)
def test_server_would_allow_everything_for_a_prefix_with_acl_syntax(
    newest: Binary, prefix: str
) -> None:
    with TenantTestbed(newest, tenant()) as testbed:
        assert _loads(testbed, f"user evil on #{SHA} ~{prefix or '*'} +@read")
        assert _may_read(testbed, "evil")
        assert not _may_read(testbed, "relation-1")


def test_server_would_load_no_accounts_after_an_open_parenthesis(newest: Binary) -> None:
    with TenantTestbed(newest, tenant()) as testbed:
        assert not _loads(testbed, f"user evil on #{SHA} ~app:* (x +@read")


def test_newline_in_a_request_id_adds_no_account(newest: Binary) -> None:
    request_id = f"1\nuser evil on #{SHA} ~* +@all\nuser rest"
    with TenantTestbed(newest, tenant()) as testbed:
        rule = " ".join(tenant().server_rule(newest.version))
        assert _loads(testbed, f"user {account_name(1, request_id)} {rule}")
        assert not _may_read(testbed, "evil")
        assert _loads(testbed, f"user relation-1-{request_id} {rule}")
        assert _may_read(testbed, "evil")


def _loads(testbed: TenantTestbed, line: str) -> bool:
    """Write a line into the server's ACL file as it stands, and have the server load it."""
    file = testbed.folder / "users.acl"
    kept = file.read_text()
    file.write_text(f"{kept}{line}\n")
    answer = testbed.admin.ask(("ACL", "LOAD"))
    file.write_text(kept)
    return answer == b"+OK\r\n"


def _may_read(testbed: TenantTestbed, name: str) -> bool:
    return testbed.admin.ask(("ACL", "DRYRUN", name, "GET", "web:string")) == b"+OK\r\n"
