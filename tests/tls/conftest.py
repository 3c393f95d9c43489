"""An testbed with a provider of certificates, on every server that has TLS."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from typing import Any

import jubilant
import pytest

import localjuju
from valkey_client_testing import Binary, find_binaries

from ..conftest import CHARMS, ROOT, TIMELINES
from ..operator_model import DOWN_AFTER, OPERATOR, access_of
from ..waits import PatientJuju
from ..writer import Writer
from .leaks import Processes
from .testbed import settle

find_all = functools.cache(find_binaries)

Write = Callable[[], Writer]

_TAKES_LONG = (
    *("test_rotation", "test_refused_certificates", "test_scaling", "test_traces_of_secrets"),
    *("test_killed_hooks", "test_client_tls", "test_client_cas", "test_tls_on_and_off"),
)
_TOGETHER = ("test_rotation", "test_tls_on_and_off", "test_traces_of_secrets")
"""Tests that share one deployment: the last looks at what the others left. The rest has another."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on every server that was built with TLS, whichever the others use."""
    if "binary" in metafunc.fixturenames:
        servers = [binary for binary in find_all() if binary.has_tls]
        # Certificates are handled alike; CI has time for the newest server only.
        newest = max(servers, key=lambda binary: binary.version)
        takes_long = metafunc.module.__name__.endswith(_TAKES_LONG)
        params: list[Any] = []
        for binary in servers:
            marks = [pytest.mark.slow] if takes_long and binary != newest else []
            if "testbed" in metafunc.fixturenames:
                part = "rotation" if metafunc.module.__name__.endswith(_TOGETHER) else "others"
                marks.append(pytest.mark.xdist_group(f"tls-{part}-{binary.label}"))
            params.append(pytest.param(binary, id=binary.label, marks=marks))
        metafunc.parametrize("binary", params, indirect=True, scope="session")


@pytest.fixture(scope="session")
def binary(request: pytest.FixtureRequest) -> Binary:
    return request.param


@pytest.fixture(scope="session")
def processes() -> Generator[Processes]:
    """What the process list shows while tests run."""
    with Processes() as processes:
        yield processes


@pytest.fixture(scope="session")
def _testbed(binary: Binary, processes: Processes) -> Generator[localjuju.Juju]:
    """Three units with TLS on, and applications that speak v1 and v0; tests leave it so."""
    with PatientJuju(environment=binary.environment()) as juju:
        juju.deploy(ROOT, OPERATOR, num_units=3, config={"down-after": DOWN_AFTER})
        juju.deploy(ROOT / "examples" / "certificates", "certificates")
        juju.deploy(ROOT / "examples" / "greeter", "greeter")
        juju.integrate(OPERATOR, "greeter")
        for wire in ("v0", "v1"):
            config = {"wire": wire, "prefix": f"{wire}:*"}
            juju.deploy(CHARMS / "scripted_requirer", wire, config=config)
            juju.integrate(OPERATOR, wire)
        juju.settle()  # Cheaper than asking for the status all the time.
        juju.wait(jubilant.all_active)
        juju.integrate(OPERATOR, "certificates")
        settle(juju, tls=True)
        yield juju


@pytest.fixture
def testbed(_testbed: localjuju.Juju, request: pytest.FixtureRequest) -> localjuju.Juju:
    request.node.stash.setdefault(TIMELINES, []).append(_testbed.timeline)
    settle(_testbed, tls=True)
    return _testbed


@pytest.fixture
def write(testbed: localjuju.Juju) -> Generator[Write]:
    """Starts writers that end with the test."""
    writers: list[Writer] = []

    def start(*, lasts: bool = True) -> Writer:
        # Tests expect no error at all of these, on a busy machine either.
        pause = 0.01 if lasts else 0.2
        writer = Writer(lambda: access_of(testbed), pause=pause, lasts=lasts, timeout=10)
        writer.__enter__()
        writers.append(writer)
        writer.await_writes()
        return writer

    yield start
    for writer in writers:
        writer.__exit__()
