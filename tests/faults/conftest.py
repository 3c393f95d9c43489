"""Deployments for the fault suite, and applications that write while they break."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import jubilant
import pytest

import localjuju

from ..conftest import ROOT, MakeModel
from ..operator_model import DOWN_AFTER, OPERATOR, access_of
from ..writer import Writer
from .invariants import invariants

MakeTestbed = Callable[..., localjuju.Juju]


@pytest.fixture
def make_testbed(make_model: MakeModel) -> MakeTestbed:
    """Deploys the operator with some units and one application, and waits until all is well."""

    def make(units: int = 3, **options: Any) -> localjuju.Juju:
        juju = make_model(**options)
        juju.deploy(ROOT, OPERATOR, num_units=units, config={"down-after": DOWN_AFTER})
        juju.deploy(ROOT / "examples" / "greeter", "greeter")
        juju.integrate(OPERATOR, "greeter")
        juju.wait(jubilant.all_active)
        invariants(juju)
        return juju

    return make


@pytest.fixture
def testbed(make_testbed: MakeTestbed) -> localjuju.Juju:
    return make_testbed()


@pytest.fixture
def write() -> Generator[Callable[[localjuju.Juju], Writer]]:
    """Starts writers that end with the test."""
    writers: list[Writer] = []

    def start(juju: localjuju.Juju) -> Writer:
        writer = Writer(lambda: access_of(juju), pause=0.002)
        writer.__enter__()
        writers.append(writer)
        writer.await_writes()
        return writer

    yield start
    for writer in writers:
        writer.__exit__()
