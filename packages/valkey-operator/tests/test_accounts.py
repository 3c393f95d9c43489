"""What a client's account may do on servers and Sentinels, and what it may not."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import valkey

from valkey_client_testing import Binary
from valkey_operator.rules import accounts
from valkey_operator.rules.accounts import Account, Version

from .server_processes import Servers, port_of

pytestmark = pytest.mark.xdist_group("accounts")  # They share a server.

SHA = accounts.password_digest("secret")
NAME = "relation-1"


@pytest.fixture(scope="module")
def server(module_servers: Servers) -> Any:
    return module_servers.start("--databases", "40")


@pytest.fixture(scope="module")
def sentinel(module_servers: Servers) -> Any:
    return module_servers.start(sentinel=True)


def set_account(server: Any, account: Account, version: Version = (8, 0, 0)) -> None:
    server.execute_command("ACL SETUSER", account.name, "reset", *account.server_rule(version))


def dry_run(server: Any, command: str) -> str:
    """What the server would answer the client, ``OK`` or why it refuses the command."""
    return server.execute_command("ACL DRYRUN", NAME, *command.split())


def login(server: Any, name: str = NAME, database: int = 0) -> Any:
    return valkey.Valkey(
        port=port_of(server),
        db=database,
        username=name,
        password="secret",
        decode_responses=True,
    )


@pytest.fixture
def client(server: Any) -> Generator[Any]:
    """A client with the prefix ``app:*``, beside the data of another."""
    server.flushall()
    set_account(server, Account(NAME, SHA, "app:*", 1))
    server.set("other:k", "1")
    server.geoadd("app:g", (1, 1, "m"))
    with login(server) as connection:
        yield connection


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


def test_a_client_may_use_its_own_keys_and_channels(client: Any) -> None:
    for command in ALLOWED:
        with client.client() as connection:
            connection.execute_command(*command.split())


def test_a_client_may_not_reach_other_keys_channels_or_the_server(
    server: Any, client: Any
) -> None:
    for command in REFUSED:
        with client.client() as connection, pytest.raises(valkey.ResponseError) as refusal:
            connection.execute_command(*command.split())
        message = str(refusal.value)
        assert "permission" in message or "insufficient ACL" in message, command
    assert server.get("other:k") == "1"


def test_the_prefix_of_all_keys_does_not_reach_the_servers_own_channels(server: Any) -> None:
    set_account(server, Account(NAME, SHA, "*", 1))
    assert dry_run(server, "GET anything") == "OK"
    assert dry_run(server, "PUBLISH anything x") == "OK"
    assert "permission" in dry_run(server, "PUBLISH __sentinel__:hello x")
    assert "permission" in dry_run(server, "FLUSHALL")
    assert "permission" in dry_run(server, "PSUBSCRIBE *")


def test_a_prefix_without_a_star_is_one_key(server: Any) -> None:
    set_account(server, Account(NAME, SHA, "123", 1))
    assert dry_run(server, "GET 123") == "OK"
    assert dry_run(server, "GET 1234") != "OK"


def test_a_client_may_read_from_a_sentinel_and_change_nothing(
    sentinel: Any, binary: Binary
) -> None:
    rule = Account(NAME, SHA, "app:*", 1).sentinel_rule(binary.version)
    sentinel.execute_command("ACL SETUSER", NAME, "reset", *rule)
    for command in ("PING", "SENTINEL MASTERS", "SENTINEL REPLICAS x", "SUBSCRIBE +switch-master",
                    "PSUBSCRIBE *", "SENTINEL GET-MASTER-ADDR-BY-NAME x", "ROLE", "INFO"):  # fmt: skip
        assert dry_run(sentinel, command) == "OK", command
    for command in ("SENTINEL SET x y z", "SENTINEL FAILOVER x", "SENTINEL RESET *", "SENTINEL REMOVE x",
                    "SENTINEL MONITOR x 1 2 3", "SENTINEL FLUSHCONFIG", "SHUTDOWN", "ACL LIST",
                    "CLIENT LIST", "PUBLISH __sentinel__:hello x"):  # fmt: skip
        assert "permission" in dry_run(sentinel, command), command


def test_commands_for_an_own_database_need_a_server_with_database_rules() -> None:
    """On any other, what is harmless in an own database would reach everybody's."""
    own = Account(NAME, SHA, "app:*", 1, scan=False, database=16)
    assert {"resetdbs", "db=16", "+flushdb"} <= set(own.server_rule((9, 1, 2)))
    for version in ((7, 2, 7), (8, 0, 1), (8, 1, 1), (9, 0, 0), (9, 1, 1)):
        rule = own.server_rule(version)
        assert not {"resetdbs", "+flushdb", "+keys", "+scan"} & set(rule)
        assert not [word for word in rule if word.startswith("db=")]


def test_a_client_reaches_no_database_of_another(server: Any, binary: Binary) -> None:
    server.flushall()
    for name, database in (("relation-1", 0), ("relation-2", 20), ("relation-3", 21)):
        set_account(server, Account(name, SHA, "app:*", 1, database=database), binary.version)
    if binary.version < accounts.DATABASE_ACL:
        return
    with login(server, "relation-1", 15) as shared, login(server, "relation-2", 20) as own:
        shared.set("app:k", "1")
        own.set("app:k", "2")
        assert own.keys() == ["app:k"]
        assert own.dbsize() == 1
        assert list(own.scan_iter()) == ["app:k"]
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
            login(server, name, database) as intruder,
            pytest.raises(valkey.exceptions.NoPermissionError),
        ):
            intruder.get("app:k")


def test_valkey_7_2_is_given_the_rules_of_8_0_but_for_sentinel_commands_it_lacks() -> None:
    """Every word of the rule was tried on 7.2.7, which tests do not have."""
    account = Account(NAME, SHA, "app:*", 1, "", ("app:room.*",), keyspace_events=True)
    rule = account.server_rule((7, 2, 7))
    assert rule == account.server_rule((8, 0, 1)) == account.server_rule((9, 0, 0))
    unknown = set(account.sentinel_rule((8, 0, 1))) - set(account.sentinel_rule((7, 2, 7)))
    assert {word.partition("|")[2] for word in unknown} == {
        "get-primary-addr-by-name", "primary", "primaries"
    }  # fmt: skip
