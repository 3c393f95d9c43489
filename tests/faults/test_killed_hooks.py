"""A hook is killed after each of its hook commands, and after each of its server commands.

One after the other, for all of them: in the hooks that serve a first request, that take it back,
that change the topology, and that remove a unit. Juju retries what was a hook. Afterwards nothing
may be missing and nothing left over.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jubilant
import pytest

import localjuju

from ..conftest import CHARMS, MakeModel
from ..operator_model import OPERATOR, accesses_in, primary_of, units
from .invariants import invariants

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(900)]

_MOST = 500
"""More than any hook does; a run that reaches it does not end."""


class Death:
    """Arms a death, and tells whether it happened."""

    def __init__(self, juju: localjuju.Juju, order: Path):
        self.juju = juju
        self._order = order
        self._watching: contextlib.ExitStack | localjuju.Subscription = contextlib.ExitStack()

    def at_call(self, number: int, hook: str) -> Callable[[], bool]:
        """Kill a hook, once, after it has run so many hook commands."""
        seen: list[str] = []
        killed: list[str] = []

        def count(call: localjuju.HookCall) -> None:
            is_meant = call.unit.startswith(OPERATOR) and hook in (
                call.event.hook or call.event.kind
            )
            if killed or not is_meant or call.command == "juju-log":
                return
            if seen and seen[0] != call.hook_id:
                seen.clear()
            seen.append(call.hook_id)
            if len(seen) == number:
                killed.append(call.command)
                call.kill_hook()

        self._watching.close()
        self._watching = self.juju.on_call(count)
        return lambda: bool(killed)

    def at_command(self, number: int, hook: str) -> Callable[[], bool]:
        """Kill a hook of the leader, or of a unit that stops, after so many server commands."""
        leader = self.juju.leader(OPERATOR)
        order = {"after": number, "unit": "" if hook == "stop" else leader, "hook": hook}
        self._order.write_text(json.dumps(order))
        return lambda: not self._order.exists()

    def disarm(self) -> None:
        self._watching.close()
        self._order.unlink(missing_ok=True)


@pytest.fixture
def death(make_model: MakeModel, binary: Any, tmp_path: Path) -> Death:
    order = tmp_path / "mortal"
    juju = make_model(environment={**binary.environment(), "MORTAL": str(order)})
    juju.deploy(CHARMS / "mortal_operator", OPERATOR, num_units=2, config={"down-after": 5})
    juju.deploy(CHARMS / "scripted_requirer", "asker", config={"prefix": "one:*"})
    juju.settle()
    invariants(juju)
    return Death(juju, order)


How = Callable[[Death, int, str], Callable[[], bool]]
each_way = pytest.mark.parametrize("how", [Death.at_call, Death.at_command])


def every_death(death: Death, how: How, hook: str) -> Iterator[int]:
    """Arm one death after the other, until the hook ends before its death."""
    for number in range(1, _MOST):
        happened = how(death, number, hook)
        yield number
        died = happened()
        death.disarm()
        if not died:
            assert number > 3, f"{hook} did not die even once"
            return
    raise AssertionError(f"{hook} never came to its end")


@each_way
def test_hook_killed_anywhere_in_the_first_request(death: Death, how: How) -> None:
    juju = death.juju
    for _ in every_death(death, how, "valkey-client-relation-changed"):
        juju.integrate(OPERATOR, "asker")
        invariants(juju)
        ((access,),) = accesses_in(juju.snapshot()).values()
        assert access.prefix == "one:*"
        juju.remove_relation(OPERATOR, "asker")
        invariants(juju)
        assert accesses_in(juju.snapshot()) == {}


@each_way
def test_hook_killed_anywhere_in_a_withdrawal(death: Death, how: How) -> None:
    juju = death.juju
    for _ in every_death(death, how, "valkey-client-relation-broken"):
        juju.integrate(OPERATOR, "asker")
        juju.settle()
        juju.remove_relation(OPERATOR, "asker")
        invariants(juju)
        assert accesses_in(juju.snapshot()) == {}


@pytest.mark.parametrize(
    ("how", "hook"), [(Death.at_call, "action"), (Death.at_command, "primary-changed")]
)
def test_hook_killed_anywhere_in_a_change_of_primary(death: Death, how: How, hook: str) -> None:
    """An action is not tried again; the event that Sentinel asks for sees to what it left."""
    juju = death.juju
    juju.integrate(OPERATOR, "asker")
    invariants(juju)
    for _ in every_death(death, how, hook):
        with contextlib.suppress(jubilant.TaskError):
            juju.run(f"{OPERATOR}/leader", "switchover")
        invariants(juju)


@each_way
@pytest.mark.parametrize("hook", ["valkey-peers-relation-departed", "stop"])
def test_hook_killed_anywhere_in_the_removal_of_the_primary(
    death: Death, how: How, hook: str
) -> None:
    """The unit that goes hands over and stops; the leader stays and forgets it."""
    juju = death.juju
    juju.integrate(OPERATOR, "asker")
    invariants(juju)
    for _ in every_death(death, how, hook):
        leader = juju.leader(OPERATOR)
        (other,) = set(units(juju)) - {leader}
        if primary_of(juju, "asker") != other:
            juju.run(leader, "switchover", {"unit": other})
            juju.settle()
        juju.remove_unit(other)
        invariants(juju)
        juju.add_unit(OPERATOR)
        invariants(juju)
