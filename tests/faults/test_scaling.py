"""More units, fewer units, none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import localjuju

from ..conftest import failed_hooks
from ..operator_model import OPERATOR, primary_of, units
from ..waits import until
from ..writer import Writer
from .conftest import MakeTestbed
from .invariants import invariants

pytestmark = pytest.mark.faults

Write = Callable[[localjuju.Juju], Writer]


@pytest.mark.slow
def test_scaling_from_one_to_nine_units_and_back(make_testbed: MakeTestbed, write: Write) -> None:
    """Several at once; at the end the leader and the primary are among those that go."""
    juju = make_testbed(1)
    writer = write(juju)
    juju.add_unit(OPERATOR, num_units=4)
    invariants(juju, writer)
    juju.add_unit(OPERATOR, num_units=4)
    invariants(juju, writer)
    assert primary_of(juju) == f"{OPERATOR}/0"
    juju.remove_unit(*(f"{OPERATOR}/{number}" for number in (0, 3, 4, 8)))
    invariants(juju, writer)
    assert len(units(juju)) == 5
    juju.remove_unit(*(f"{OPERATOR}/{number}" for number in (1, 2, 5, 7)))
    invariants(juju, writer)
    assert primary_of(juju) == f"{OPERATOR}/6"
    writer.await_writes()
    assert failed_hooks(juju) == []


def test_scaling_from_zero_with_storage_restores_the_data(
    make_testbed: MakeTestbed, write: Write
) -> None:
    juju = make_testbed(2)
    writer = write(juju)
    writer.stop()
    for number in (1, 0):
        juju.remove_unit(f"{OPERATOR}/{number}")
        juju.settle()
    assert units(juju) == []
    juju.add_unit(OPERATOR, attach_storage="data/0")
    invariants(juju, writer)
    juju.add_unit(OPERATOR, num_units=2)
    invariants(juju, writer)
    assert failed_hooks(juju) == []


def test_scaling_from_zero_to_three_units_serves_again(
    make_testbed: MakeTestbed, write: Write
) -> None:
    """Nobody has the data any more; the leader begins anew when it has met all of them."""
    juju = make_testbed(2)
    juju.remove_unit(f"{OPERATOR}/0", f"{OPERATOR}/1")
    juju.settle()
    juju.add_unit(OPERATOR, num_units=3)
    invariants(juju)
    assert len(units(juju)) == 3
    write(juju)
    assert failed_hooks(juju) == []


def test_last_unit_serves_after_removal_of_the_lost_primary(
    make_testbed: MakeTestbed, write: Write
) -> None:
    """Two units are no majority without one of them; a person says that it will not come back."""
    juju = make_testbed(2)
    writer = write(juju)
    writer.stop()
    primary = primary_of(juju)
    juju.lose(primary)
    juju.remove_unit(primary, force=True)
    invariants(juju, writer)
    assert primary_of(juju) == f"{OPERATOR}/1"
    write(juju)
    assert failed_hooks(juju) == []


def test_replacing_every_unit_at_once_loses_no_writes(
    make_testbed: MakeTestbed, write: Write
) -> None:
    """The leader and the primary go; nobody leads until they have, and the new ones wait."""
    juju = make_testbed(2)
    writer = write(juju)
    juju.remove_unit(f"{OPERATOR}/0", f"{OPERATOR}/1")
    juju.add_unit(OPERATOR, num_units=2)
    replacements = [f"{OPERATOR}/2", f"{OPERATOR}/3"]
    until(lambda: units(juju), lambda now: now == replacements, what="both units are replaced")
    writer.await_writes()
    invariants(juju, writer)
