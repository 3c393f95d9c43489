"""One application holds all connections, and goes when its relation is removed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
import valkey

import localjuju
from valkey_client import Access

from ..conftest import CHARMS, failed_hooks
from ..operator_model import (
    OPERATOR,
    PORT,
    access_of,
    addresses_of,
    admin,
    update_status,
)
from ..waits import until
from ..writer import Writer
from .conftest import MakeTestbed
from .invariants import invariants

pytestmark = [pytest.mark.faults, pytest.mark.field]

HOG = "hog"
LIMIT = 60


@contextlib.contextmanager
def all_connections(access: Access, addresses: list[str]) -> Iterator[list[valkey.Connection]]:
    """What is left of the connections of servers, as an application."""
    connections: list[valkey.Connection] = []
    try:
        for address in addresses:
            with contextlib.suppress(valkey.ConnectionError):
                while True:
                    connection = valkey.Connection(
                        address, PORT, username=access.username, password=access.password
                    )
                    connection.connect()
                    connections.append(connection)
        yield connections
    finally:
        for connection in connections:
            connection.disconnect()


def is_open(connection: valkey.Connection) -> bool:
    try:
        connection.send_command("PING")
        return connection.read_response() is not None
    except (valkey.ConnectionError, valkey.ResponseError, OSError):
        return False


@pytest.mark.parametrize("count", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_an_application_that_holds_all_connections_goes_with_its_relation(
    make_testbed: MakeTestbed, write: Callable[[localjuju.Juju], Writer], count: int
) -> None:
    juju = make_testbed(count)
    juju.deploy(CHARMS / "scripted_requirer", HOG, config={"prefix": f"{HOG}:*"})
    juju.integrate(OPERATOR, HOG)
    juju.settle()
    access = access_of(juju, HOG)
    addresses = list(addresses_of(juju).values())
    writer = write(juju)
    for address in addresses:
        with admin(juju, address, PORT) as server:
            server.config_set("maxclients", LIMIT)
    with all_connections(access, addresses) as connections:
        assert len(connections) > LIMIT // 2 * count
        update_status(juju)
        app = juju.status().apps[OPERATOR].app_status
        assert app.current == "blocked"
        assert app.message.startswith("Clients hold all connections of Valkey on valkey/0")
        assert all(map(is_open, connections)), "nothing was done to it as long as it is related"
        juju.remove_relation(OPERATOR, HOG)
        juju.settle()
        # A server that is not full any more is the leader's, which looks again in a moment.
        until(
            lambda: [connection for connection in connections if is_open(connection)],
            lambda connected: not connected,
            what="all connections of the application are closed",
        )
    update_status(juju)
    invariants(juju, writer)
    assert juju.status().apps[OPERATOR].app_status.current == "active"
    with pytest.raises(valkey.AuthenticationError):
        valkey.Connection(
            addresses[0], PORT, username=access.username, password=access.password
        ).connect()
    assert failed_hooks(juju) == []
