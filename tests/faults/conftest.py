"""Deployments for the fault suite, and hands to break them with."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import jubilant
import pytest

import localjuju
from valkey_client import Access, UnreachableError

from ..conftest import ROOT, MakeModel
from ..operator_model import OPERATOR, units
from ..writer import Writer
from .invariants import accesses, invariants

MakeTestbed = Callable[..., localjuju.Juju]


@pytest.fixture
def make_testbed(make_model: MakeModel) -> MakeTestbed:
    """Deploys the operator with some units and one application, and waits until all is well."""

    def make(units: int = 3, **options: Any) -> localjuju.Juju:
        juju = make_model(**options)
        juju.deploy(ROOT, OPERATOR, num_units=units, config={"down-after": 2})
        juju.deploy(ROOT / "examples" / "greeter", "greeter")
        juju.integrate(OPERATOR, "greeter")
        juju.wait(jubilant.all_active, timeout=120)
        invariants(juju)
        return juju

    return make


@pytest.fixture
def testbed(make_testbed: MakeTestbed) -> localjuju.Juju:
    return make_testbed()


def access_of(juju: localjuju.Juju, app: str = "greeter") -> Access:
    """What an application was given."""
    given = accesses(juju).get(juju.relation_id(app, "valkey"))
    if not given:
        raise UnreachableError(f"{app} has no access")
    return given[0]


@pytest.fixture
def write() -> Generator[Callable[[localjuju.Juju], Writer]]:
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


def pid_of(juju: localjuju.Juju, unit: str, service: str = "server") -> int:
    """The process of a server or Sentinel."""
    folder = juju.directory / "agents" / f"unit-{unit.replace('/', '-')}" / "valkey"
    return int(Path(folder, f"{service}.pid").read_text().split()[0])


def send(juju: localjuju.Juju, unit: str, service: str, number: signal.Signals) -> None:
    """Send a signal to a server or Sentinel."""
    os.kill(pid_of(juju, unit, service), number)


def primary_of(juju: localjuju.Juju) -> str:
    """The unit that the relation names as primary; empty if that has gone."""
    host = access_of(juju).endpoints[0].host
    return next((unit.name for unit in juju.units(OPERATOR) if unit.address == host), "")


def await_primary(juju: localjuju.Juju, *, other_than: str, timeout: float = 60) -> str:
    """Wait until the relation names another primary, and return its unit."""
    juju.wait(lambda _: primary_of(juju) not in {"", other_than}, timeout=timeout)
    return primary_of(juju)


def tick(juju: localjuju.Juju) -> None:
    """What Juju's clock does every five minutes."""
    for unit in units(juju):
        juju.update_status(unit)
    juju.settle(120)
