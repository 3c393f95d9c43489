from __future__ import annotations

import functools
from collections.abc import Generator
from typing import Any

import pytest

from valkey_client_testing import Binary, find_binaries
from valkey_operator.rules.accounts import DATABASE_ACL, SHARED_DATABASES, Account, Version

from .run_attacks import AttackResults, run_attacks
from .sentinel_testbed import SentinelTestbed
from .servers import SHA
from .testbed import TenantTestbed

OWN_DATABASE = SHARED_DATABASES

find_all = functools.cache(find_binaries)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that takes a server is run on each that there is."""
    if "server" in metafunc.fixturenames:
        params = [
            pytest.param(binary, id=binary.label, marks=_marks(metafunc, binary))
            for binary in find_all()
        ]
        metafunc.parametrize("server", params, indirect=True, scope="session")


def _marks(metafunc: pytest.Metafunc, binary: Binary) -> list[pytest.MarkDecorator]:
    """What takes long is done once for a server, by one of the processes that run tests."""
    fixtures = set(metafunc.fixturenames)
    if fixtures & {"results", "database_results", "sentinel_results"}:
        return [pytest.mark.xdist_group(f"attacks-{'.'.join(map(str, binary.version))}")]
    if "plain" in fixtures:
        return [pytest.mark.xdist_group(f"known-attacks-{binary.label}")]
    return []


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Binary:
    return request.param


def tenant(prefix: str = "app:*", name: str = "relation-1", **more: Any) -> Account:
    return Account(name, SHA, prefix, 1, **more)


# Servers alternate, and a fixture would begin again each time.


@functools.cache
def on_server(binary: Binary) -> AttackResults:
    """Everything tried on a server."""
    with TenantTestbed(binary, tenant()) as testbed:
        return run_attacks(testbed, "server")


@functools.cache
def on_sentinel(binary: Binary) -> AttackResults:
    """Everything tried on a Sentinel."""
    with TenantTestbed(binary, tenant()) as testbed, SentinelTestbed(testbed) as sentinel:
        return run_attacks(sentinel, "sentinel")


@functools.cache
def from_own_database(version: Version) -> AttackResults:
    """Everything tried on a version by an account with a database of its own."""
    binary = next(binary for binary in find_all() if binary.version == version)
    with TenantTestbed(binary, tenant(database=OWN_DATABASE)) as testbed:
        return run_attacks(testbed, "server", "database")


@pytest.fixture(scope="session")
def results(server: Binary) -> AttackResults:
    return on_server(server)


@pytest.fixture(scope="session")
def sentinel_results(server: Binary) -> AttackResults:
    return on_sentinel(server)


@pytest.fixture(scope="session")
def database_results(server: Binary) -> AttackResults | None:
    """None on servers that cannot hold an account to a database."""
    return from_own_database(server.version) if server.version >= DATABASE_ACL else None


@pytest.fixture(scope="session")
def plain(server: Binary) -> Generator[TenantTestbed]:
    """A server for attacks that come to nothing."""
    with TenantTestbed(server, tenant()) as testbed:
        yield testbed


@pytest.fixture
def newest() -> Binary:
    """For what is said of these tests and not of a server."""
    return find_all()[-1]


def wider(binary: Binary, *modifiers: str) -> tuple[str, ...]:
    """Modifiers after a rule, with which it is not the databases that hold an account back."""
    return (*modifiers, "alldbs") if binary.version >= DATABASE_ACL else modifiers
