"""Deployments for the fault suite, and applications that write while they break."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import jubilant
import pytest

import localjuju
from valkey_client_testing import Binary

from ..conftest import HAS_FAILED, ROOT, TIMELINES, MakeModel
from ..operator_model import DOWN_AFTER, OPERATOR, access_of, primary_of
from ..waits import PatientJuju
from ..writer import Writer
from .invariants import invariants
from .notices import await_sentinel_notices

MakeTestbed = Callable[..., localjuju.Juju]


def deploy(juju: localjuju.Juju, units: int = 3) -> None:
    """Deploy the operator with some units and one application, and wait until all is well."""
    juju.deploy(ROOT, OPERATOR, num_units=units, config={"down-after": DOWN_AFTER})
    juju.deploy(ROOT / "examples" / "greeter", "greeter")
    juju.integrate(OPERATOR, "greeter")
    juju.settle()  # Cheaper than asking for the status all the time.
    juju.wait(jubilant.all_active)
    invariants(juju)


@pytest.fixture
def make_testbed(make_model: MakeModel) -> MakeTestbed:
    """Makes deployments for one test."""

    def make(units: int = 3, **options: Any) -> localjuju.Juju:
        juju = make_model(**options)
        deploy(juju, units)
        return juju

    return make


@pytest.fixture
def testbed(make_testbed: MakeTestbed) -> localjuju.Juju:
    """Three units for one test."""
    return make_testbed()


class SharedTestbed:
    """Three units that one test after the other uses, as long as they can be restored."""

    def __init__(self, **options: Any):
        self._options = options
        self._juju: localjuju.Juju | None = None

    def take(self) -> localjuju.Juju:
        """Three healthy units of which the first leads and is the primary."""
        if self._juju is None or not self._is_restored(self._juju):
            self.discard()
            self._juju = PatientJuju(**self._options)
            deploy(self._juju)
            self._config = self._juju.config(OPERATOR)
        return self._juju

    def _is_restored(self, juju: localjuju.Juju) -> bool:
        first, *others = (f"{OPERATOR}/{number}" for number in range(3))
        if (
            [unit.name for unit in juju.units(OPERATOR)] != [first, *others]
            or juju.config(OPERATOR) != self._config
            or juju.failed_hooks()
        ):
            return False
        if juju.leader(OPERATOR) != first:
            juju.set_leader(first)
        invariants(juju)
        former = primary_of(juju)
        if former != first:
            begin = len(juju.timeline.entries("hook"))
            juju.run(first, "switchover", {"unit": first})
            # Or the next test takes them for its own.
            await_sentinel_notices(juju, begin, former)
            invariants(juju)
        return True

    def discard(self) -> None:
        """Let the next test have others."""
        if self._juju is not None:
            self._juju.close()
            self._juju = None


@pytest.fixture(scope="session")
def _shared(binary: Binary, request: pytest.FixtureRequest) -> Generator[SharedTestbed]:
    driver = request.config.getoption("--localjuju-driver")
    shared = SharedTestbed(environment=binary.environment(), driver=driver)
    yield shared
    shared.discard()


@pytest.fixture
def shared_testbed(
    _shared: SharedTestbed, request: pytest.FixtureRequest
) -> Generator[localjuju.Juju]:
    """Three units that earlier tests have used; a test that fails leaves none behind.

    Each process that runs tests has its own. The timeline contains what earlier tests did.
    """
    juju = _shared.take()
    request.node.stash.setdefault(TIMELINES, []).append(juju.timeline)
    yield juju
    if request.node.stash.get(HAS_FAILED, False):
        _shared.discard()


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
