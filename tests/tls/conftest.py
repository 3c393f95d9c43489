"""Estates with a provider of certificates, on every server that has TLS."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from typing import Any

import jubilant
import pytest

import localjuju
from valkey_client_testing import Binary, find_binaries

from ..conftest import ROOT, MakeModel
from ..writer import Writer
from .estate import OPERATOR, access_of

find_all = functools.cache(find_binaries)

MakeEstate = Callable[..., localjuju.Juju]
Write = Callable[[localjuju.Juju], Writer]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test is run on each server that was built with TLS, whoever the others use."""
    if "binary" in metafunc.fixturenames:
        servers = [binary for binary in find_all() if binary.has_tls]
        metafunc.parametrize("binary", servers, ids=lambda binary: binary.label, indirect=True)


@pytest.fixture(scope="session")
def binary(request: pytest.FixtureRequest) -> Binary:
    return request.param


@pytest.fixture
def make_estate(make_model: MakeModel) -> MakeEstate:
    """Deploys the operator, an application and a provider of certificates, not integrated yet."""

    def make(units: int = 3, **options: Any) -> localjuju.Juju:
        juju = make_model(**options)
        juju.deploy(ROOT, OPERATOR, num_units=units, config={"down-after": 2})
        juju.deploy(ROOT / "examples" / "certificates", "certificates")
        juju.deploy(ROOT / "examples" / "greeter", "greeter")
        juju.integrate(OPERATOR, "greeter")
        juju.wait(jubilant.all_active, timeout=120)
        juju.settle()
        return juju

    return make


@pytest.fixture
def write() -> Generator[Write]:
    """Starts writers that end with the test."""
    started: list[Writer] = []

    def start(juju: localjuju.Juju) -> Writer:
        writer = Writer(lambda: access_of(juju), pause=0.002)
        writer.__enter__()
        started.append(writer)
        writer.await_writes()
        return writer

    yield start
    for writer in started:
        writer.__exit__()
