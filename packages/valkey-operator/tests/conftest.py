from __future__ import annotations

from collections.abc import Generator

import pytest

from valkey_client_testing import Binary, find_binary

from .server_processes import Servers, temporary_servers


@pytest.fixture(scope="session")
def binary() -> Binary:
    return find_binary()


@pytest.fixture
def servers(binary: Binary) -> Generator[Servers]:
    """For servers of one test."""
    with temporary_servers(binary.path) as servers:
        yield servers


@pytest.fixture(scope="module")
def module_servers(binary: Binary) -> Generator[Servers]:
    """For servers that all tests of a module use, each of which replaces the accounts it needs."""
    with temporary_servers(binary.path) as servers:
        yield servers
