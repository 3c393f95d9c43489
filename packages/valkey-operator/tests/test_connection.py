"""How the charm's connections log in, and what they say when they cannot."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Any

import pytest

from valkey_operator.rules.acl_file import acl_file
from valkey_operator.rules.internal_accounts import ADMIN, internal_server_rules
from valkey_operator.rules.passwords import Passwords
from valkey_operator.servers.connection import Connection, NoLoginError, ServerError

from .server_processes import Servers, port_of

PASSWORDS = Passwords("admin", "replication", "sentinel", "peer")


@pytest.fixture
def server(servers: Servers) -> Any:
    """A server with the charm's accounts, and a connection as its own one."""
    path = servers.folder / "users.acl"
    path.write_text(acl_file(internal_server_rules(PASSWORDS.digests())))
    return servers.start("--aclfile", str(path), username=ADMIN, password=PASSWORDS.admin)


@pytest.fixture
def connection(server: Any) -> Generator[Connection]:
    with closing(Connection("127.0.0.1", port_of(server), PASSWORDS.admin)) as connection:
        yield connection


def test_it_is_never_the_one_that_ends_to_make_room(server: Any, connection: Connection) -> None:
    connection.ask("PING")
    (own,) = (client for client in server.client_list() if client["name"] == "charm")
    assert "e" in own["flags"], "no-evict"


def test_it_says_that_clients_hold_all_connections(server: Any, connection: Connection) -> None:
    server.config_set("maxclients", 1)
    with pytest.raises(NoLoginError) as refused:
        connection.ask("PING")
    assert refused.value.is_full
    assert not connection.refuses_password()


def test_it_says_that_its_account_was_changed(server: Any, connection: Connection) -> None:
    server.execute_command("ACL SETUSER", ADMIN, "resetpass", ">another")
    with pytest.raises(NoLoginError) as refused:
        connection.ask("PING")
    assert not refused.value.is_full
    assert connection.refuses_password()


def test_a_server_that_is_not_there_refuses_no_login(server: Any, connection: Connection) -> None:
    server.shutdown(nosave=True)
    with pytest.raises(ServerError) as silent:
        connection.ask("PING")
    assert not isinstance(silent.value, NoLoginError)
    assert not connection.refuses_password()
