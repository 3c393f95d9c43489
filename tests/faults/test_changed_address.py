"""A unit's machine gets another address, and its servers follow it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import localjuju

from ..conftest import failed_hooks
from ..operator_model import OPERATOR, addresses_of, primary_of, update_status
from ..writer import Writer
from .conftest import MakeTestbed
from .invariants import invariants

pytestmark = [pytest.mark.faults, pytest.mark.field]


@pytest.mark.parametrize(
    ("count", "number"), [(3, 1), (3, 0), pytest.param(1, 0, marks=pytest.mark.slow)]
)
def test_servers_listen_on_the_new_address_and_nobody_remembers_the_old_one(
    make_testbed: MakeTestbed, write: Callable[[localjuju.Juju], Writer], count: int, number: int
) -> None:
    juju = make_testbed(count)
    unit = f"{OPERATOR}/{number}"
    assert (primary_of(juju) == unit) == (number == 0)
    writer = write(juju)
    old = juju.address(unit)
    new = juju.change_address(unit)
    juju.settle()
    update_status(juju)
    invariants(juju, writer)
    writer.await_writes(20)
    assert addresses_of(juju)[unit] == new
    texts = str(juju.databag(1, OPERATOR))
    assert new in texts
    assert old + ":" not in texts
    assert juju.status().apps[OPERATOR].app_status.current == "active"
    assert failed_hooks(juju) == []
