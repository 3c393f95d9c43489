"""The charms that are measured, and models to measure them in."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from pathlib import Path

from localjuju import Juju
from localjuju.drivers import DriverName
from valkey_client_testing import find_binary

_CHARMS = Path(__file__).parent / "charms"

EMPTY = _CHARMS / "empty"
PROVIDER = _CHARMS / "provider"
FIELD_PROVIDER = _CHARMS / "field_provider"
REQUIRER = _CHARMS / "requirer"
FIELD_REQUIRER = _CHARMS / "field_requirer"
OPERATOR = _CHARMS / "operator"

FLOOR, FIELD, OURS = "floor", "field", "ours"
"""An empty charm; dpcharmlibs-interfaces in a minimal charm; this project."""


@contextlib.contextmanager
def model(driver: DriverName = "warm") -> Generator[Juju]:
    """A model in which charms find the Valkey of this machine."""
    with Juju(driver=driver, environment=find_binary().environment()) as juju:
        yield juju


def settle(juju: Juju, timeout: float = 600.0) -> None:
    """Wait until no unit has anything to do.

    Raises:
        RuntimeError: If a hook fails, because then the figures mean nothing.
        TimeoutError: If it takes longer than so many seconds.
    """
    deadline = time.monotonic() + timeout
    failures = len(juju.failed_hooks())
    is_settled = False
    while not is_settled:
        try:
            juju.settle(1.0)
            is_settled = True
        except TimeoutError:
            if time.monotonic() > deadline:
                raise
        for failure in juju.failed_hooks()[failures:]:
            raise RuntimeError(str(failure))


def deploy(juju: Juju, charm: Path, name: str, units: int = 1) -> None:
    """Deploy a charm and wait until it is at rest; its environment may have to be built."""
    juju.deploy(charm, name, num_units=units)
    settle(juju)
