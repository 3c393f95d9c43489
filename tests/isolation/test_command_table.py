"""Which commands the rule allows on a running server, against those that somebody has reviewed."""

from __future__ import annotations

import pytest

from valkey_client_testing import Binary

from .attempts import Owner, attempts
from .campaign import reviewed
from .conftest import find_all, tenant, wider
from .estate import Estate
from .sentinel import SentinelEstate

pytestmark = pytest.mark.isolation

Ground = Estate | SentinelEstate


def allowed_unchecked(ground: Ground) -> set[str]:
    """Commands that the attacker may call and whose arguments no server checks.

    The server itself is asked (``ACL DRYRUN``), with the plainest call of each command.
    """
    return {
        command.name
        for command in ground.table.values()
        if not command.has_keys
        and _may_run(ground, command.name)
        and not _is_checked_by_channel(ground, command.name)
    }


def _may_run(ground: Ground, name: str) -> bool:
    plain = next(iter(attempts(ground.table[name], ground.target))).words
    answer = ground.admin.ask(("ACL", "DRYRUN", "relation-1", *plain))
    assert not answer.startswith(b"-"), answer
    return b"permissions to run the" not in answer and b"access database" not in answer


def _is_checked_by_channel(ground: Ground, name: str) -> bool:
    words = [a.words for a in attempts(ground.table[name], ground.target) if a.crosses]
    answers = [ground.admin.ask(("ACL", "DRYRUN", "relation-1", *call)) for call in words]
    return bool(answers) and all(b"permissions to access the" in answer for answer in answers)


def test_what_is_allowed_without_a_check_has_been_reviewed(plain: Estate) -> None:
    assert allowed_unchecked(plain) - reviewed("server").keys() == set()


def test_what_is_allowed_on_a_sentinel_has_been_reviewed(plain: Estate) -> None:
    with SentinelEstate(plain) as sentinel:
        assert allowed_unchecked(sentinel) - reviewed("sentinel").keys() == set()


def test_scan_as_an_option_is_scan_and_nothing_else(server: Binary) -> None:
    with Estate(server, tenant(scan=True)) as estate:
        assert allowed_unchecked(estate) - reviewed("server").keys() == {"scan"}


@pytest.mark.parametrize("name", ["scan", "flushall", "pubsub|channels", "client|list"])
def test_a_command_that_nobody_has_reviewed_is_found(server: Binary, name: str) -> None:
    with Estate(server, tenant(), wider(server, f"+{name}")) as estate:
        found = allowed_unchecked(estate)
    assert found - reviewed("server").keys() == {name}


def test_every_reviewed_command_is_allowed_somewhere() -> None:
    """A reason for a command that nobody may call would be read as if it were allowed."""
    on_server: set[str] = set()
    on_sentinel: set[str] = set()
    for binary in find_all():
        with Estate(binary, tenant()) as estate, SentinelEstate(estate) as sentinel:
            on_server |= {name for name in estate.table if _may_run(estate, name)}
            on_sentinel |= {name for name in sentinel.table if _may_run(sentinel, name)}
    assert reviewed("server").keys() <= on_server
    assert reviewed("sentinel").keys() <= on_sentinel


def test_names_of_owners_are_equally_long() -> None:
    """An answer that repeats a name can only then be compared byte by byte."""
    assert len({len(owner.value) for owner in Owner}) == 1
