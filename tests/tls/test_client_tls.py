"""The clients verify, prove themselves, and follow what the provider says of TLS."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import valkey

from valkey_client import Access, client
from valkey_client_testing import Binary

from .node import Node
from .pki import Pair

pytestmark = pytest.mark.tls

LONG = 240.0
"""Seconds that no test waits for: an error that is raised in spite of them is prompt."""


class Blocking:
    """The blocking client."""

    def __init__(self) -> None:
        self._connections: list[Any] = []

    def connect(self, access: Any, **options: Any) -> Any:
        connection = client.connect(access, decode_responses=True, **options)
        self._connections.append(connection)
        return connection

    def run(self, answer: Any) -> Any:
        return answer

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


class Asyncio(Blocking):
    """The asyncio client, one call at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()

    def connect(self, access: Any, **options: Any) -> Any:
        async def make() -> Any:
            return client.connect_async(access, decode_responses=True, **options)

        connection = self._runner.run(make())
        self._connections.append(connection)
        return connection

    def run(self, answer: Any) -> Any:
        async def wait() -> Any:
            return await answer

        return self._runner.run(wait())

    def close(self) -> None:
        for connection in self._connections:
            self.run(connection.aclose())
        # Transports that were dropped in the middle of a handshake end in the loop.
        self.run(asyncio.sleep(0.05))
        self._runner.close()
        gc.collect()


@pytest.fixture(params=[Blocking, Asyncio])
def kind(request: pytest.FixtureRequest) -> Generator[Blocking]:
    kind = request.param()
    yield kind
    kind.close()


@pytest.fixture
def node(binary: Binary, short_path: Path) -> Generator[Node]:
    with Node(binary, short_path) as node:
        yield node


@pytest.fixture(scope="module")
def ca() -> Pair:
    return Pair.authority("first")


@pytest.fixture(scope="module")
def other_ca() -> Pair:
    return Pair.authority("second")


@pytest.fixture(scope="module")
def leaf(ca: Pair) -> Pair:
    return ca.issue("server", addresses=["127.0.0.1"], names=["localhost"])


class Requirer:
    """Knows the access of now, as the object of a charm does."""

    def __init__(self, access: Access):
        self.access: Access | None = access


def ping(kind: Blocking, access: Any, **options: Any) -> Any:
    return kind.run(kind.connect(access, **options).ping())


# Whom the client trusts.


def test_client_verifies_the_certificate_chain(
    node: Node, kind: Blocking, ca: Pair, other_ca: Pair, leaf: Pair
) -> None:
    node.change(leaf, ca)
    assert ping(kind, node.access_with(ca))
    assert ping(kind, node.access_with(other_ca, ca))
    begin = time.monotonic()
    untrusted = node.access_with(other_ca)
    replicas = replace(
        untrusted.topology, read_only_endpoints=untrusted.endpoints, sentinel_endpoints=()
    )
    for access, read_only in ((untrusted, False), (replace(untrusted, topology=replicas), True)):
        with pytest.raises(valkey.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            ping(kind, access, retry_for=LONG, read_only=read_only)
    assert time.monotonic() - begin < LONG / 4


def test_client_accepts_an_intermediate_ca(node: Node, kind: Blocking, ca: Pair) -> None:
    between = ca.issue("between", is_ca=True)
    leaf = between.issue("server", addresses=["127.0.0.1"])
    node.change(Pair(leaf.certificate + between.certificate, leaf.key), ca)
    assert ping(kind, node.access_with(ca))


def test_client_checks_the_address_if_the_certificate_has_any(
    node: Node, kind: Blocking, ca: Pair
) -> None:
    node.change(ca.issue("server", addresses=["127.0.0.2"]), ca)
    with pytest.raises(valkey.ConnectionError, match="address"):
        ping(kind, node.access_with(ca), retry_for=LONG)
    assert ping(kind, node.access_with(ca), ssl_check_hostname=False)
    node.change(ca.issue("server", names=["elsewhere"]), ca)
    assert ping(kind, node.access_with(ca))
    with pytest.raises(valkey.ConnectionError, match="IP address mismatch"):
        ping(kind, node.access_with(ca), ssl_check_hostname=True, retry_for=LONG)


def test_client_always_checks_a_host_name(
    binary: Binary, short_path: Path, kind: Blocking, ca: Pair
) -> None:
    with Node(binary, short_path, host="localhost") as node:
        node.change(ca.issue("server", names=["localhost"]), ca)
        assert ping(kind, node.access_with(ca))
        node.change(ca.issue("server", names=["elsewhere"]), ca)
        with pytest.raises(valkey.ConnectionError, match=r"(?i)hostname mismatch"):
            ping(kind, node.access_with(ca), retry_for=LONG)


def test_malformed_ca_is_reported_as_tls_ca(node: Node, kind: Blocking, ca: Pair) -> None:
    class Broken(Pair):
        pass

    with pytest.raises(valkey.ConnectionError, match="tls-ca"):
        ping(kind, node.access_with(Broken("not a certificate", "")), retry_for=LONG)


# What the client shows.


def test_client_certificate_is_sent(
    node: Node, kind: Blocking, ca: Pair, other_ca: Pair, leaf: Pair
) -> None:
    node.change(leaf, ca, other_ca)
    with node.admin() as admin:
        admin.config_set("tls-auth-clients", "yes")
    access = node.access_with(ca)
    # The Sentinel asks for none, so that what is refused is refused by the server.
    begin = time.monotonic()
    with pytest.raises(valkey.ConnectionError, match="CERTIFICATE_REQUIRED"):
        ping(kind, access, retry_for=LONG)
    # The alert can be lost in one attempt when the server hangs up, but not in all of them.
    assert time.monotonic() - begin < LONG / 2
    pair = other_ca.issue("application")
    certificate = client.ClientCertificate(pair.certificate, pair.key)
    assert pair.key not in repr(certificate)
    assert ping(kind, access, certificate=certificate)
    assert ping(kind, access, certificate=lambda: certificate)


def test_client_certificate_of_an_intermediate_ca_is_accepted(
    node: Node, kind: Blocking, ca: Pair, other_ca: Pair, leaf: Pair
) -> None:
    node.change(leaf, ca, other_ca)
    between = other_ca.issue("between", is_ca=True)
    pair = between.issue("application")
    certificate = client.ClientCertificate(pair.certificate + between.certificate, pair.key)
    assert ping(kind, node.access_with(ca), certificate=certificate)


def test_untrusted_client_certificate_is_refused(
    node: Node, kind: Blocking, ca: Pair, other_ca: Pair, leaf: Pair
) -> None:
    node.change(leaf, ca)
    access = node.access_with(ca)
    pair = other_ca.issue("application")
    certificate = client.ClientCertificate(pair.certificate, pair.key)
    begin = time.monotonic()
    with pytest.raises(valkey.ConnectionError, match="ALERT_UNKNOWN_CA"):
        ping(kind, access, certificate=certificate, retry_for=LONG)
    assert time.monotonic() - begin < LONG / 2
    assert ping(kind, access)


def test_client_certificate_with_a_wrong_key_is_refused(
    node: Node, kind: Blocking, ca: Pair
) -> None:
    certificate = client.ClientCertificate(ca.issue("a").certificate, ca.issue("b").key)
    with pytest.raises(valkey.ConnectionError, match="private key"):
        ping(kind, node.access_with(ca), certificate=certificate, retry_for=LONG)


def test_client_leaves_no_private_key_behind(
    node: Node,
    kind: Blocking,
    ca: Pair,
    leaf: Pair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    node.change(leaf, ca)
    pair = ca.issue("application")
    assert ping(
        kind,
        node.access_with(ca),
        certificate=client.ClientCertificate(pair.certificate, pair.key),
    )
    assert list(tmp_path.iterdir()) == []


# What changes.


@pytest.mark.parametrize("hang_up", [True, False])
def test_client_follows_a_change_to_tls_and_back(
    node: Node, kind: Blocking, ca: Pair, leaf: Pair, hang_up: bool
) -> None:
    requirer = Requirer(node.access)
    connection = kind.connect(requirer)
    kind.run(connection.set("key", 1))
    for number, (pair, cas) in enumerate([(leaf, (ca,)), (None, ()), (leaf, (ca,))]):
        node.change(pair, *cas, hang_up=hang_up)
        requirer.access = node.access_with(*cas)
        assert kind.run(connection.incr("key")) == number + 2


def test_client_follows_a_ca_rotation(
    node: Node,
    kind: Blocking,
    ca: Pair,
    other_ca: Pair,
    leaf: Pair,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("valkey_client.client._policy.ROLE_INTERVAL", 0.2)
    node.change(leaf, ca)
    requirer = Requirer(node.access_with(ca))
    connection = kind.connect(requirer)
    assert kind.run(connection.ping())
    node.change(other_ca.issue("server", addresses=["127.0.0.1"]), other_ca)
    requirer.access = node.access_with(ca, other_ca)
    assert kind.run(connection.ping())
    # With the old one dropped, a server that still shows it is not believed.
    requirer.access = node.access_with(other_ca)
    time.sleep(0.3)
    assert kind.run(connection.ping())
    node.change(leaf, ca)
    with pytest.raises(valkey.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        kind.run(connection.ping())


def test_client_replaces_a_plain_connection_after_a_change_to_tls(
    node: Node, kind: Blocking, ca: Pair, leaf: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server lets it be, and says nothing; the provider does."""
    monkeypatch.setattr("valkey_client.client._policy.ROLE_INTERVAL", 0.2)
    requirer = Requirer(node.access)
    connection = kind.connect(requirer)
    kind.run(connection.ping())
    node.change(leaf, ca, hang_up=False)
    requirer.access = node.access_with(ca)
    time.sleep(0.3)
    with node.admin() as admin:
        before = [c["id"] for c in admin.client_list() if c["user"] == "app"]
        kind.run(connection.ping())
        after = [c["id"] for c in admin.client_list() if c["user"] == "app"]
    assert len(before) == len(after) == 1
    assert before != after
