from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import valkey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from valkey_client import KeyPrefix, PrefixError
from valkey_client.messages import account_name
from valkey_client_testing import Binary
from valkey_operator import accounts
from valkey_operator.accounts import Account

SHA = accounts.digest("secret")


def account(prefix: str, name: str = "relation-1") -> Account:
    return Account(name, SHA, prefix, 1)


@pytest.fixture
def tenant(start_server: Any) -> Any:
    server = start_server()
    server.execute_command(
        "ACL SETUSER", "relation-1", "reset", *account("app:*").server_rule((8, 0, 0))
    )
    server.set("other:k", "1")
    server.geoadd("app:g", (1, 1, "m"))
    return server, valkey.Valkey(
        port=server.connection_pool.connection_kwargs["port"],
        username="relation-1",
        password="secret",
        decode_responses=True,
    )


ALLOWED = [
    "SET app:k 1", "GET app:k", "DEL app:k", "INCR app:n", "EXPIRE app:n 10", "LPUSH app:l a",
    "HSET app:h f v", "ZADD app:z 1 a", "XADD app:s * f v", "SADD app:set a", "SORT app:l BY nosort ALPHA",
    "PUBLISH app:c m", "EVAL return(redis.call('GET',KEYS[1])) 1 app:k", "SCRIPT LOAD return(1)", "INFO",
    "ROLE", "PING", "CLIENT ID", "ACL WHOAMI", "COPY app:n app:m", "RENAME app:m app:o", "GEOSEARCH app:g FROMLONLAT 1 1 BYRADIUS 1 m",
    "PUBSUB NUMSUB app:c", "WAIT 0 1", "MULTI", "DISCARD", "OBJECT ENCODING app:n", "MEMORY USAGE app:n",
]  # fmt: skip
REFUSED = [
    "GET other:k", "SET other:k 2", "DEL other:k", "EXISTS other:k", "TYPE other:k", "COPY app:n other:n",
    "RENAME other:k app:k", "KEYS *", "SCAN 0", "RANDOMKEY", "DBSIZE", "FLUSHALL", "FLUSHDB", "SWAPDB 0 1",
    "GEORADIUS app:g 1 1 10 m STORE app:x STORE other:k", "GEORADIUSBYMEMBER app:g m 1 m", "SORT app:l BY app:w_*",
    "CLIENT TRACKING ON BCAST", "CLIENT LIST", "CLIENT KILL TYPE normal", "CLIENT PAUSE 1000", "CONFIG GET *",
    "ACL LIST", "ACL SETUSER x on", "PUBLISH __sentinel__:hello x", "PUBLISH other:c x", "PUBSUB CHANNELS",
    "SUBSCRIBE other:c", "PSUBSCRIBE *", "PSUBSCRIBE a*", "MONITOR", "PFDEBUG GETREG app:n", "SHUTDOWN", "SAVE",
    "REPLICAOF no one", "FAILOVER", "FUNCTION LIST", "FUNCTION FLUSH", "SCRIPT FLUSH", "SCRIPT KILL",
    "MIGRATE 127.0.0.1 1 other:k 0 1", "RESTORE app:r 0 x", "SLOWLOG GET", "LATENCY DOCTOR", "MODULE LIST",
    "EVAL return(redis.call('GET','other:k')) 0", "EVAL return(redis.call('FLUSHALL')) 0", "CLUSTER INFO",
]  # fmt: skip


def test_what_a_client_may_do(tenant: Any) -> None:
    _, client = tenant
    with client:
        for command in ALLOWED:
            with client.client() as one:
                one.execute_command(*command.split())


def test_what_a_client_may_not_do(tenant: Any) -> None:
    server, client = tenant
    with client:
        for command in REFUSED:
            with client.client() as one, pytest.raises(valkey.ResponseError) as caught:
                one.execute_command(*command.split())
            assert "permission" in str(caught.value) or "insufficient ACL" in str(caught.value), (
                command
            )
    assert server.get("other:k") == "1"


def test_the_whole_keyspace_leaves_the_servers_channels_alone(start_server: Any) -> None:
    server = start_server()
    server.execute_command(
        "ACL SETUSER", "relation-1", "reset", *account("*").server_rule((8, 0, 0))
    )

    def verdict(*command: str) -> str:
        return server.execute_command("ACL DRYRUN", "relation-1", *command)

    assert verdict("GET", "anything") == "OK"
    assert verdict("PUBLISH", "anything", "x") == "OK"
    assert "permission" in verdict("PUBLISH", "__sentinel__:hello", "x")
    assert "permission" in verdict("FLUSHALL")
    assert "permission" in verdict("PSUBSCRIBE", "*")


def test_a_name_without_a_star_is_one_key(start_server: Any) -> None:
    server = start_server()
    server.execute_command(
        "ACL SETUSER", "relation-1", "reset", *account("123").server_rule((8, 0, 0))
    )
    assert server.execute_command("ACL DRYRUN", "relation-1", "GET", "123") == "OK"
    assert server.execute_command("ACL DRYRUN", "relation-1", "GET", "1234") != "OK"


def test_what_a_client_may_do_on_a_sentinel(start_server: Any, binary: Binary) -> None:
    sentinel = start_server(sentinel=True)
    rule = account("app:*").sentinel_rule(binary.version)
    sentinel.execute_command("ACL SETUSER", "relation-1", "reset", *rule)

    def verdict(*command: str) -> str:
        return sentinel.execute_command("ACL DRYRUN", "relation-1", *command)

    for command in ("PING", "SENTINEL MASTERS", "SENTINEL REPLICAS x", "SUBSCRIBE +switch-master",
                    "PSUBSCRIBE *", "SENTINEL GET-MASTER-ADDR-BY-NAME x", "ROLE", "INFO"):  # fmt: skip
        assert verdict(*command.split()) == "OK", command
    for command in ("SENTINEL SET x y z", "SENTINEL FAILOVER x", "SENTINEL RESET *", "SENTINEL REMOVE x",
                    "SENTINEL MONITOR x 1 2 3", "SENTINEL FLUSHCONFIG", "SHUTDOWN", "ACL LIST",
                    "CLIENT LIST", "PUBLISH __sentinel__:hello x"):  # fmt: skip
        assert "permission" in verdict(*command.split()), command


names = st.builds(
    account_name, st.integers(0, 10**6), st.text(max_size=80) | st.just("x\nuser evil on nopass ~* +@all")
)  # fmt: skip
texts = st.text(max_size=40) | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:/|@{}-]{0,30}\*?", fullmatch=True)  # fmt: skip


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.tuples(names, texts), max_size=8))
def test_every_file_that_is_written_loads_and_says_what_was_meant(
    start_server: Any, folder: Path, wanted: list[tuple[str, str]]
) -> None:
    """No text of a requirer can add an account, widen one, or keep the server from loading."""
    server = _server(start_server, folder)
    clients: dict[str, Account] = {}
    for name, text in wanted:
        try:
            KeyPrefix.parse(text)
        except PrefixError:
            continue
        clients[name] = account(text, name)
    rules = {"boss": ("on", f"#{SHA}", "~*", "&*", "+@all")}
    rules.update({name: one.server_rule((8, 0, 0)) for name, one in clients.items()})
    (folder / "users.acl").write_text(accounts.acl_file(rules))
    server.execute_command("ACL LOAD")
    assert set(server.execute_command("ACL USERS")) == {"default", *rules}
    listed = accounts.read_list(server.execute_command("ACL LIST"))
    assert {n: one.patterns for n, one in listed.items()} == {
        n: frozenset(one.patterns) for n, one in clients.items()
    }
    assert all(one.hashes == {SHA} for one in listed.values())


def _server(start_server: Any, folder: Path) -> Any:
    """One server for all examples of a property."""
    kept = getattr(start_server, "kept", None)
    if kept is None:
        file = folder / "users.acl"
        file.write_text(accounts.acl_file({"boss": ("on", f"#{SHA}", "~*", "&*", "+@all")}))
        kept = start_server("--aclfile", str(file), username="boss", password="secret")
        start_server.kept = kept  # type: ignore[attr-defined]
    return kept


@pytest.mark.parametrize("part", ["a b", "", "a\nb", "ü", "a\tb", "\x00"])
def test_a_part_that_could_be_read_as_more_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        accounts.acl_file({"name": ("on", part)})
    with pytest.raises(ValueError, match="cannot be written"):
        accounts.acl_file({part: ("on",)})


def test_the_internal_accounts_can_log_in_and_nobody_else(start_server: Any, folder: Path) -> None:
    digests = dict.fromkeys(
        (accounts.ADMIN, accounts.REPLICATION, accounts.SENTINEL, accounts.SENTINEL_PEER), SHA
    )
    file = folder / "users.acl"
    file.write_text(accounts.acl_file(accounts.internal_server_rules(digests)))
    admin = start_server("--aclfile", str(file), username=accounts.ADMIN, password="secret")
    assert admin.execute_command("ACL WHOAMI") == accounts.ADMIN
    with pytest.raises(valkey.exceptions.NoPermissionError):
        admin.get("any")
    with (
        valkey.Valkey(port=admin.connection_pool.connection_kwargs["port"]) as stranger,
        pytest.raises(valkey.AuthenticationError),
    ):
        stranger.ping()
