from __future__ import annotations

import json
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
patterns = st.text(max_size=20) | st.from_regex(r"app:[a-z*?\[\]^{}|]{0,10}", fullmatch=True)
entries = st.fixed_dictionaries(
    {"resource": texts},
    optional={
        "channel-patterns": st.lists(patterns, max_size=4),
        "keyspace-events": st.booleans(),
        "scan": st.booleans() | st.text(max_size=5),
    },
)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.tuples(names, entries, st.sampled_from([0, 16, 9999])), max_size=8))
def test_every_file_that_is_written_loads_and_says_what_was_meant(
    start_server: Any,
    folder: Path,
    binary: Binary,
    wanted: list[tuple[str, dict[str, Any], int]],
) -> None:
    """No text of a requirer can add an account, widen one, or keep the server from loading."""
    server = _server(start_server, folder)
    clients: dict[str, Account] = {}
    for name, entry, database in wanted:
        bag = {"version": "v1", "requests": json.dumps([{"request-id": "1", **entry}])}
        for request in read_requests(bag).requests:
            clients[name] = Account(
                name, SHA, str(request.prefix), 1, "1", request.options.channel_patterns,
                request.options.keyspace_events, request.options.scan, database,
            )  # fmt: skip
    note = accounts_digest(clients.values(), binary.version)
    rules = {"boss": ("on", f"#{SHA}", "~*", "&*", "+@all"), note: DIGEST_ACCOUNT_RULE}
    rules |= {name: one.server_rule(binary.version) for name, one in clients.items()}
    (folder / "users.acl").write_text(acl_file(rules))
    server.execute_command("ACL LOAD")
    listed = {line.split()[1]: line.split() for line in server.execute_command("ACL LIST")}
    assert listed.keys() == {"default", *rules}
    for name, one in clients.items():
        words = listed[name]
        assert {w for w in words if w[0] in "~&"} == set(one.patterns)
        assert {w[1:] for w in words if w[0] == "#"} == {SHA}
        assert "nopass" not in words and "+@all" not in words
    assert "off" in listed[note]


def _server(start_server: Any, folder: Path) -> Any:
    """One server for all examples of a property."""
    kept = getattr(start_server, "kept", None)
    if kept is None:
        file = folder / "users.acl"
        file.write_text(acl_file({"boss": ("on", f"#{SHA}", "~*", "&*", "+@all")}))
        kept = start_server("--aclfile", str(file), username="boss", password="secret")
        start_server.kept = kept  # type: ignore[attr-defined]
    return kept


@pytest.mark.parametrize("part", ["a b", "", "a\nb", "ü", "a\tb", "\x00"])
def test_a_part_that_could_be_read_as_more_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        acl_file({"name": ("on", part)})
    with pytest.raises(ValueError, match="cannot be written"):
        acl_file({part: ("on",)})


def test_the_internal_accounts_can_log_in_and_nobody_else(start_server: Any, folder: Path) -> None:
    digests = dict.fromkeys(
        (
            internal_accounts.ADMIN,
            internal_accounts.REPLICATION,
            internal_accounts.SENTINEL,
            internal_accounts.SENTINEL_PEER,
        ),
        SHA,
    )
    file = folder / "users.acl"
    file.write_text(acl_file(internal_accounts.internal_server_rules(digests)))
    admin = start_server(
        "--aclfile", str(file), username=internal_accounts.ADMIN, password="secret"
    )
    assert admin.execute_command("ACL WHOAMI") == internal_accounts.ADMIN
    with pytest.raises(valkey.exceptions.NoPermissionError):
        admin.get("any")
    with (
        valkey.Valkey(port=admin.connection_pool.connection_kwargs["port"]) as stranger,
        pytest.raises(valkey.AuthenticationError),
    ):
        stranger.ping()


def test_a_server_that_starts_again_has_its_transactions(start_server: Any, folder: Path) -> None:
    """8.0.1 loads the AOF with the rights of the default user."""
    file = folder / "users.acl"
    file.write_text(acl_file({"boss": ("on", f"#{SHA}", "~*", "&*", "+@all")}))
    options = ("--aclfile", str(file), "--appendonly", "yes")
    server = start_server(*options, username="boss", password="secret")
    server.pipeline().set("one", "1").set("two", "2").execute()
    server.eval("redis.call('set', 'three', 3) redis.call('set', 'four', 4)", 0)
    server.shutdown(nosave=True)
    again = start_server(*options, username="boss", password="secret")
    assert again.exists("one", "two", "three", "four") == 4


def test_an_own_database_needs_a_server_that_can_hold_an_account_to_it() -> None:
    """On any other, what is harmless in a database of one's own would reach everybody's."""
    own = Account("relation-1", SHA, "app:*", 1, scan=False, database=16)
    assert {"resetdbs", "db=16", "+flushdb"} <= set(own.server_rule((9, 1, 2)))
    for version in ((7, 2, 7), (8, 0, 1), (8, 1, 1), (9, 0, 0), (9, 1, 1)):
        rule = own.server_rule(version)
        assert not {"resetdbs", "+flushdb", "+keys", "+scan"} & set(rule)
        assert not [word for word in rule if word.startswith("db=")]


def test_databases_of_others_are_out_of_reach(start_server: Any, binary: Binary) -> None:
    server = start_server("--databases", "40")
    for name, database in (("relation-1", 0), ("relation-2", 20), ("relation-3", 21)):
        one = Account(name, SHA, "app:*", 1, database=database)
        server.execute_command("ACL SETUSER", name, "reset", *one.server_rule(binary.version))
    if binary.version < accounts.DATABASE_ACL:
        return
    port = server.connection_pool.connection_kwargs["port"]

    def login(name: str, database: int) -> Any:
        return valkey.Valkey(
            port=port, db=database, username=name, password="secret", decode_responses=True
        )

    with login("relation-1", 15) as shared, login("relation-2", 20) as own:
        shared.set("app:k", "1")
        own.set("app:k", "2")
        assert own.keys() == ["app:k"] and own.dbsize() == 1 and list(own.scan_iter()) == ["app:k"]
        for command in ("SELECT 0", "SELECT 21", "MOVE app:k 3", "COPY app:k app:l DB 3", "FLUSHALL",
                        "SWAPDB 20 3", "EVAL return(redis.call('select','3')) 0"):  # fmt: skip
            with pytest.raises(valkey.ResponseError, match="permission"):
                own.execute_command(*command.split())
        own.flushdb()
        assert shared.get("app:k") == "1"
        with pytest.raises(valkey.ResponseError, match="permission"):
            shared.execute_command("SELECT", "20")
    for name, database in (("relation-1", 20), ("relation-2", 0), ("relation-3", 20)):
        with (
            login(name, database) as intruder,
            pytest.raises(valkey.exceptions.NoPermissionError),
        ):
            intruder.get("app:k")


def test_a_7_2_is_told_what_an_8_0_is_told() -> None:
    """No 7.2 is at hand to ask; each word of the rule was tried on 7.2.7, and stays as it is."""
    one = Account("relation-1", SHA, "app:*", 1, "", ("app:room.*",), keyspace_events=True)
    assert one.server_rule((7, 2, 7)) == one.server_rule((8, 0, 1)) == one.server_rule((9, 0, 0))
    unknown = set(one.sentinel_rule((8, 0, 1))) - set(one.sentinel_rule((7, 2, 7)))
    assert {word.partition("|")[2] for word in unknown} == {
        "get-primary-addr-by-name", "primary", "primaries"
    }  # fmt: skip
