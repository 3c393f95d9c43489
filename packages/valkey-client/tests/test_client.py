from __future__ import annotations

import pytest

from valkey_client import Access, Endpoint, Topology, UnreachableError, client

TOPOLOGY = Topology((Endpoint("h1", 6379),), (Endpoint("h2", 6379),))
ACCESS = Access("a:*", "relation-1", "p@ss:/word", TOPOLOGY, database=3)


def test_url() -> None:
    assert client.url(ACCESS) == "valkey://relation-1:p%40ss%3A%2Fword@h1:6379/3"
    assert client.url(ACCESS, read_only=True).endswith("@h2:6379/3")


def test_environment() -> None:
    values = client.environment(ACCESS, "CACHE_")
    assert values["CACHE_HOST"] == "h1"
    assert values["CACHE_PORT"] == "6379"
    assert values["CACHE_PASSWORD"] == "p@ss:/word"
    assert values["CACHE_PREFIX"] == "a:*"
    assert values["CACHE_TLS"] == "false"
    assert all(isinstance(value, str) for value in values.values())


def test_tls_is_said() -> None:
    topology = Topology((Endpoint("h1", 6379),), tls=True, tls_ca="CA")
    access = Access("a:*", "u", "p", topology)
    assert client.url(access) == "valkeys://u:p@h1:6379/0"
    values = client.environment(access)
    assert (values["VALKEY_TLS"], values["VALKEY_TLS_CA"]) == ("true", "CA")


def test_nowhere_to_go() -> None:
    with pytest.raises(UnreachableError, match=r"a:\*"):
        client.url(Access("a:*", "u", "p", Topology()))
