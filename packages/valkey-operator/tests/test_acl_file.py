"""The files that servers load their accounts from, with accounts of clients and the charm."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import valkey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from valkey_client.databag import read_requests
from valkey_client.messages import account_name
from valkey_client_testing import Binary
from valkey_operator.rules import accounts, internal_accounts
from valkey_operator.rules.accounts import Account
from valkey_operator.rules.accounts_digest import DIGEST_ACCOUNT_RULE, accounts_digest
from valkey_operator.rules.acl_file import acl_file

from .server_processes import Servers, port_of

pytestmark = pytest.mark.xdist_group("acl-file")  # They share a server.

SHA = accounts.password_digest("secret")
ADMIN = {"boss": ("on", f"#{SHA}", "~*", "&*", "+@all")}
LOGIN = {"username": "boss", "password": "secret"}


def write_file(folder: Path, rules: Mapping[str, Sequence[str]]) -> Path:
    path = folder / "users.acl"
    path.write_text(acl_file(rules))
    return path


@pytest.fixture(scope="module")
def admin(module_servers: Servers) -> Any:
    """A connection to a server with an account file, one for all examples of a property."""
    path = write_file(module_servers.folder, ADMIN)
    return module_servers.start("--aclfile", str(path), **LOGIN)


names = st.builds(
    account_name, st.integers(0, 10**6), st.text(max_size=80) | st.just("x\nuser evil on nopass ~* +@all")
)  # fmt: skip
prefixes = st.text(max_size=40) | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:/|@{}-]{0,30}\*?", fullmatch=True)  # fmt: skip
patterns = st.text(max_size=20) | st.from_regex(r"app:[a-z*?\[\]^{}|]{0,10}", fullmatch=True)
entries = st.fixed_dictionaries(
    {"resource": prefixes},
    optional={
        "channel-patterns": st.lists(patterns, max_size=4),
        "keyspace-events": st.booleans(),
        "scan": st.booleans() | st.text(max_size=5),
    },
)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    clients=st.lists(st.tuples(names, entries, st.sampled_from([0, 16, 9999])), max_size=8),
)
def test_no_request_text_adds_an_account_or_widens_one_or_breaks_the_file(
    admin: Any,
    module_servers: Servers,
    binary: Binary,
    clients: list[tuple[str, dict[str, Any], int]],
) -> None:
    by_name: dict[str, Account] = {}
    for name, entry, database in clients:
        bag = {"version": "v1", "requests": json.dumps([{"request-id": "1", **entry}])}
        for request in read_requests(bag).requests:
            by_name[name] = Account(
                name, SHA, str(request.prefix), 1, "1", request.options.channel_patterns,
                request.options.keyspace_events, request.options.scan, database,
            )  # fmt: skip
    digest_account = accounts_digest(by_name.values(), binary.version)
    rules = {**ADMIN, digest_account: DIGEST_ACCOUNT_RULE}
    rules |= {name: account.server_rule(binary.version) for name, account in by_name.items()}
    write_file(module_servers.folder, rules)
    admin.execute_command("ACL LOAD")
    loaded = {line.split()[1]: line.split() for line in admin.execute_command("ACL LIST")}
    assert loaded.keys() == {"default", *rules}
    for name, account in by_name.items():
        words = loaded[name]
        assert {word for word in words if word[0] in "~&"} == set(account.patterns)
        assert {word[1:] for word in words if word[0] == "#"} == {SHA}
        assert "nopass" not in words
        assert "+@all" not in words
    assert "off" in loaded[digest_account]


@pytest.mark.parametrize("part", ["a b", "", "a\nb", "ü", "a\tb", "\x00"])
def test_a_part_that_the_server_could_read_as_several_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        acl_file({"name": ("on", part)})
    with pytest.raises(ValueError, match="cannot be written"):
        acl_file({part: ("on",)})


def test_only_internal_accounts_can_log_in_to_a_server_without_clients(servers: Servers) -> None:
    digests = dict.fromkeys(
        (
            internal_accounts.ADMIN,
            internal_accounts.REPLICATION,
            internal_accounts.SENTINEL,
            internal_accounts.SENTINEL_PEER,
        ),
        SHA,
    )
    path = write_file(servers.folder, internal_accounts.internal_server_rules(digests))
    charm = servers.start(
        "--aclfile", str(path), username=internal_accounts.ADMIN, password="secret"
    )
    assert charm.execute_command("ACL WHOAMI") == internal_accounts.ADMIN
    with pytest.raises(valkey.exceptions.NoPermissionError):
        charm.get("any")
    with (
        valkey.Valkey(port=port_of(charm)) as stranger,
        pytest.raises(valkey.AuthenticationError),
    ):
        stranger.ping()


def test_a_server_loads_transactions_and_scripts_from_its_append_only_file(
    servers: Servers,
) -> None:
    """Valkey 8.0.1 loads them with the rights of the default user."""
    path = write_file(servers.folder, ADMIN)
    options = ("--aclfile", str(path), "--appendonly", "yes")
    server = servers.start(*options, **LOGIN)
    server.pipeline().set("one", "1").set("two", "2").execute()
    server.eval("redis.call('set', 'three', 3) redis.call('set', 'four', 4)", 0)
    server.shutdown(nosave=True)
    restarted = servers.start(*options, **LOGIN)
    assert restarted.exists("one", "two", "three", "four") == 4
