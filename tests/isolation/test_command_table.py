"""Which commands the rule allows on a running server, against those that somebody has reviewed."""

from __future__ import annotations

import pytest

from valkey_client_testing import Binary

from .attempts import Owner, attempts
from .conftest import find_all, tenant, wider
from .run_attacks import reviewed
from .sentinel_testbed import SentinelTestbed
from .testbed import TenantTestbed

pytestmark = pytest.mark.isolation

Testbed = TenantTestbed | SentinelTestbed


def allowed_unchecked(testbed: Testbed) -> set[str]:
    """Commands that the attacker may call and whose arguments no server checks.

    The server itself is asked (``ACL DRYRUN``), with the plainest call of each command.
    """
    return {
        command.name
        for command in testbed.table.values()
        if not command.has_keys
        and _may_run(testbed, command.name)
        and not _is_checked_by_channel(testbed, command.name)
    }


def _may_run(testbed: Testbed, name: str) -> bool:
    plain = next(iter(attempts(testbed.table[name], testbed.target))).words
    answer = testbed.admin.ask(("ACL", "DRYRUN", "relation-1", *plain))
    assert not answer.startswith(b"-"), answer
    return b"permissions to run the" not in answer and b"access database" not in answer


def _is_checked_by_channel(testbed: Testbed, name: str) -> bool:
    words = [a.words for a in attempts(testbed.table[name], testbed.target) if a.crosses]
    answers = [testbed.admin.ask(("ACL", "DRYRUN", "relation-1", *call)) for call in words]
    return bool(answers) and all(b"permissions to access the" in answer for answer in answers)


def test_unchecked_server_commands_are_reviewed(plain: TenantTestbed) -> None:
    assert allowed_unchecked(plain) - reviewed("server").keys() == set()


def test_unchecked_sentinel_commands_are_reviewed(plain: TenantTestbed) -> None:
    with SentinelTestbed(plain) as sentinel:
        assert allowed_unchecked(sentinel) - reviewed("sentinel").keys() == set()


def test_scan_option_allows_scan_only(server: Binary) -> None:
    with TenantTestbed(server, tenant(scan=True)) as testbed:
        assert allowed_unchecked(testbed) - reviewed("server").keys() == {"scan"}


@pytest.mark.parametrize("name", ["scan", "flushall", "pubsub|channels", "client|list"])
def test_unreviewed_command_is_detected(server: Binary, name: str) -> None:
    with TenantTestbed(server, tenant(), wider(server, f"+{name}")) as testbed:
        commands = allowed_unchecked(testbed)
    assert commands - reviewed("server").keys() == {name}


def test_every_reviewed_command_is_allowed_somewhere() -> None:
    """A reason for a command that nobody may call would be read as if it were allowed."""
    on_server: set[str] = set()
    on_sentinel: set[str] = set()
    for binary in find_all():
        with TenantTestbed(binary, tenant()) as testbed, SentinelTestbed(testbed) as sentinel:
            on_server |= {name for name in testbed.table if _may_run(testbed, name)}
            on_sentinel |= {name for name in sentinel.table if _may_run(sentinel, name)}
    assert reviewed("server").keys() <= on_server
    assert reviewed("sentinel").keys() <= on_sentinel


def test_owner_names_have_equal_length() -> None:
    """An answer that repeats a name can only then be compared byte by byte."""
    assert len({len(owner.value) for owner in Owner}) == 1
