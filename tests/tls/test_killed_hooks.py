"""Hooks are killed while a cluster changes to TLS and back, and Juju tries them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Literal

import jubilant
import pytest

import localjuju
from valkey_client_testing import Binary

from ..conftest import CHARMS, ROOT, MakeModel
from ..operator_model import DOWN_AFTER, OPERATOR, PORT, SENTINEL_PORT, access_of, units
from ..writer import Writer
from .testbed import files_of, is_refused, lost, settle

pytestmark = pytest.mark.faults

Who = Literal["leader", "another"]
How = Literal["calls", "commands"]
Armed = tuple[Callable[[], bool], Callable[[], None]]
"""Says whether a hook died, and disarms what kills it."""

SPREAD: tuple[tuple[Who, How, int], ...] = (
    # In turn in a change to TLS and in one back. The leader dies between two servers.
    ("leader", "commands", 12),
    ("leader", "commands", 12),
    ("another", "commands", 2),
    ("another", "calls", 12),
)

_MOST = 200
"""More than any hook does; a run that reaches it does not end."""


class Switching:
    """A cluster that changes to TLS and back, while one of its hooks dies."""

    def __init__(self, juju: localjuju.Juju, order: Path):
        self.juju = juju
        self._order = order
        self._is_on = False
        self._ca = ""

    def dies(self, who: Who, how: How, number: int) -> bool:
        """Change once, with one death; whether there was one."""
        arm = self._at_call if how == "calls" else self._at_command
        happened, disarm = arm(self._unit(who), number)
        self._is_on = not self._is_on
        if self._is_on:
            self.juju.integrate(OPERATOR, "certificates")
        else:
            self.juju.remove_relation(OPERATOR, "certificates")
        access = settle(self.juju, tls=self._is_on)
        died = happened()
        disarm()
        self._ca = access.tls_ca or self._ca
        for unit in units(self.juju):
            for port in (PORT, SENTINEL_PORT):
                assert is_refused(self.juju, unit, port, "" if self._is_on else self._ca)
        count = len(units(self.juju)) if self._is_on else 0
        assert len(files_of(self.juju, "tls-*.key")) == count
        return died

    def _at_call(self, unit: str, number: int) -> Armed:
        """Kill a hook, once, after it has run so many hook commands."""
        seen: list[str] = []
        killed: list[str] = []

        def count(call: localjuju.HookCall) -> None:
            if killed or call.unit != unit or call.command == "juju-log":
                return
            seen[:] = [one for one in seen if one == call.hook_id]
            seen.append(call.hook_id)
            if len(seen) == number:
                killed.append(call.command)
                call.kill_hook()

        return lambda: bool(killed), self.juju.on_call(count).close

    def _at_command(self, unit: str, number: int) -> Armed:
        """Kill a hook, once, after so many commands to servers."""
        self._order.write_text(json.dumps({"after": number, "unit": unit, "hook": ""}))
        return lambda: not self._order.exists(), lambda: self._order.unlink(missing_ok=True)

    def _unit(self, who: Who) -> str:
        units = self.juju.units(OPERATOR)
        return next(unit.name for unit in units if unit.is_leader == (who == "leader"))


@pytest.fixture
def switching(make_model: MakeModel, binary: Binary, tmp_path: Path) -> Switching:
    order = tmp_path / "mortal"
    juju = make_model(environment={**binary.environment(), "MORTAL": str(order)})
    juju.deploy(
        CHARMS / "mortal_operator", OPERATOR, num_units=3, config={"down-after": DOWN_AFTER}
    )
    juju.deploy(ROOT / "examples" / "certificates", "certificates")
    juju.deploy(ROOT / "examples" / "greeter", "greeter")
    juju.integrate(OPERATOR, "greeter")
    juju.settle()  # Cheaper than asking for the status all the time.
    juju.wait(jubilant.all_active)
    settle(juju, tls=False)
    return Switching(juju, order)


@pytest.fixture
def writers(switching: Switching) -> Generator[list[Writer]]:
    """One that keeps its connection, and one that makes a new one for each write."""
    writers = [
        Writer(lambda: access_of(switching.juju), pause=0.01 if lasts else 0.2, lasts=lasts)
        for lasts in (True, False)
    ]
    for writer in writers:
        writer.__enter__()
    yield writers
    for writer in writers:
        writer.__exit__()


@pytest.mark.tls
@pytest.mark.slow
def test_tls_change_survives_hooks_killed_at_some_calls(
    switching: Switching, writers: list[Writer]
) -> None:
    for who, how, number in SPREAD:
        assert switching.dies(who, how, number), (who, how, number)
    assert lost(switching.juju, *writers) == 0


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("who", ["leader", "another"])
@pytest.mark.parametrize("how", ["calls", "commands"])
def test_tls_change_survives_hooks_killed_at_every_call(
    switching: Switching, writers: list[Writer], who: Who, how: How
) -> None:
    """In every hook that comes so far, until none does."""
    for number in _until_none(switching, who, how):
        assert number < _MOST
    assert lost(switching.juju, *writers) == 0


def _until_none(switching: Switching, who: Who, how: How) -> Iterator[int]:
    number = 1
    while True:
        died = [switching.dies(who, how, number) for _ in ("to TLS", "back")]
        if not any(died):
            break
        yield number
        number += 1
    assert number > 3, "no hook died even once"
