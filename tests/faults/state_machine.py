"""Random operations and faults on a model, and the same invariants after each rest.

``python -m tests.faults.state_machine SEED`` runs the models of one seed, always the same.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from typing import Any

import jubilant
import valkey
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from valkey_client_testing import find_binary

from ..conftest import CHARMS, ROOT
from ..operator_model import DOWN_AFTER, OPERATOR, accesses_in, rest, send, units, update_status
from ..waits import DEADLINE, PatientJuju
from .damages import DAMAGES
from .invariants import invariants

STEPS_OF_A_MODEL = 50
MODELS_OF_A_SEED = 2
"""The first is the simplest that there is, as hypothesis always begins with; the rest is random."""
_MOST_UNITS = 4
_APPS = 2
_BETWEEN_RESTS = 6
FAULTS = ("kill", "pause", "lose", "deafen", "damage", "lose with data")
_NEED_ANOTHER_UNIT = frozenset({"lose", "damage", "lose with data"})
_NOTICED = DOWN_AFTER + 3.0
"""Seconds in which Sentinels fail over, or do not because they cannot."""


class FaultTestbed(RuleBasedStateMachine):
    """A model, and what was done to it since it was at rest."""

    def __init__(self) -> None:
        super().__init__()
        self.juju = PatientJuju(environment=find_binary().environment(), hook_timeout=120)
        self.integrated: set[str] = set()
        self.settled: set[str] = set()
        self.hurt: tuple[str, str] = ("", "")
        self.had_long: set[str] = set()
        self.done = 0
        self.written = 0

    @initialize(count=st.integers(1, 3))
    def deploy(self, count: int) -> None:
        self.juju.deploy(ROOT, OPERATOR, num_units=count, config={"down-after": DOWN_AFTER})
        for number in range(_APPS):
            config = {"prefix": f"app{number}:*", "wire": ("v1", "v0")[number % 2]}
            self.juju.deploy(CHARMS / "scripted_requirer", f"app{number}", config=config)
        self._rest()

    def teardown(self) -> None:
        try:
            self._rest()
        finally:
            self.juju.close()

    # Operations, none of which is waited for.

    @rule(number=st.integers(0, _APPS - 1))
    def integrate_or_withdraw(self, number: int) -> None:
        app = f"app{number}"
        if app in self.integrated:
            self.juju.remove_relation(OPERATOR, app)
        else:
            try:
                self.juju.integrate(OPERATOR, app)
            except jubilant.CLIError:
                # As Juju does, it refuses while the relation of before is on its way out, which
                # a unit that was lost holds up.
                if self.hurt[1].startswith("lose"):
                    return
                rest(self.juju)
                self.juju.integrate(OPERATOR, app)
        self.integrated ^= {app}
        self.done += 1

    @rule(number=st.integers(0, _APPS - 1), other=st.booleans())
    def ask_for_something_else(self, number: int, *, other: bool) -> None:
        prefix = f"app{number}:{'else:' if other else ''}*"
        self.juju.config(f"app{number}", {"prefix": prefix})
        self.done += 1

    @precondition(lambda self: len(self._alive()) < _MOST_UNITS)
    @rule(count=st.integers(1, 2))
    def add_units(self, count: int) -> None:
        self.juju.add_unit(OPERATOR, num_units=count)
        self.done += 1

    @precondition(lambda self: len(self.settled) > 1 and not self.hurt[0])
    @rule(data=st.data())
    def remove_unit(self, data: Any) -> None:
        unit = data.draw(st.sampled_from(sorted(self.settled)))
        self.settled.discard(unit)
        self.juju.remove_unit(unit)
        self.done += 1

    @rule(data=st.data())
    def elect(self, data: Any) -> None:
        alive = self._alive()
        self.juju.set_leader(alive[data.draw(st.integers(0, 9)) % len(alive)])
        self.done += 1

    @rule(seconds=st.integers(DOWN_AFTER, DOWN_AFTER + 1))
    def configure(self, seconds: int) -> None:
        self.juju.config(OPERATOR, {"down-after": seconds})
        self.done += 1

    # What takes seconds happens once until the next rest, or little else would happen.

    @precondition(lambda self: self._may("restart", least=3))
    @rule()
    def restart_all(self) -> None:
        self.had_long.add("restart")
        now = self.juju.config(OPERATOR)["io-threads"]
        self.juju.config(OPERATOR, {"io-threads": 1 if now == 2 else 2})
        self.done += 1

    @precondition(lambda self: self._may("switchover", least=2))
    @rule()
    def switch_over(self) -> None:
        self.had_long.add("switchover")
        # If it cannot, it says why; what it left behind is what is looked at.
        with contextlib.suppress(jubilant.TaskError, jubilant.CLIError):
            self.juju.run(f"{OPERATOR}/leader", "switchover")
        self.done += 1

    # Faults, one until the next rest.

    @precondition(lambda self: self.settled and not self.hurt[0])
    @rule(data=st.data(), how=st.sampled_from(FAULTS))
    def hurt_a_unit(self, data: Any, how: str) -> None:
        unit = data.draw(st.sampled_from(sorted(self.settled)))
        if how in _NEED_ANOTHER_UNIT and len(self.settled) < 2:
            return
        self.hurt = (unit, how)
        match how:
            case "kill":
                send(self.juju, unit, "server", signal.SIGKILL)
            case "pause":
                send(self.juju, unit, "server", signal.SIGSTOP)
            case "deafen":
                send(self.juju, unit, "sentinel", signal.SIGKILL)
            case "damage":
                send(self.juju, unit, "server", signal.SIGKILL)
                data.draw(st.sampled_from(DAMAGES))(self.juju.storage(unit, "data"))
            case "lose with data":
                self.juju.lose(unit)
                data.draw(st.sampled_from(DAMAGES))(self.juju.storage(unit, "data"))
            case _:
                self.juju.lose(unit)
        if data.draw(st.booleans()):
            time.sleep(_NOTICED)
        self.done += 1

    @precondition(lambda self: len(self.settled) > 1 and not self.hurt[0])
    @rule(data=st.data())
    def exchange_data_while_all_are_lost(self, data: Any) -> None:
        """As if volumes were attached to the wrong machines, or one of them was new."""
        rest(self.juju)  # Units that are on their way in or out have no data that count.
        everyone = self._alive()
        one, other = data.draw(st.permutations(everyone))[:2]
        self.hurt = (one, "exchange")
        for unit in everyone:
            self.juju.lose(unit)
        first, second = (self.juju.storage(unit, "data") for unit in (one, other))
        if data.draw(st.booleans()):
            aside = first.with_name("exchange")
            first.rename(aside)
            second.rename(first)
            aside.rename(second)
        else:
            data.draw(st.sampled_from(DAMAGES))(first)
        for unit in data.draw(st.permutations(everyone)):
            self.juju.recover(unit)
        self.done += 1

    # Rest.

    @precondition(lambda self: self.done >= _BETWEEN_RESTS)
    @rule()
    def rest(self) -> None:
        self._rest()

    def _rest(self) -> None:
        """Bring back what was hurt, let the clock tick, and look at everything."""
        unit, how = self.hurt
        if how == "pause":
            send(self.juju, unit, "server", signal.SIGCONT)
        if how in {"lose", "lose with data"}:
            self.juju.recover(unit)
        rest(self.juju)
        update_status(self.juju)
        try:
            invariants(self.juju)
        except BaseException as error:
            error.add_note("\n".join(map(str, self.juju.timeline))[-20_000:])
            raise
        self._look_for_what_was_written()
        self.hurt, self.done = ("", ""), 0
        self.had_long.clear()
        self.settled = set(units(self.juju))

    def _look_for_what_was_written(self) -> None:
        """What all replicas had at the last rest is there, and so is one key more for the next."""
        accesses = accesses_in(self.juju.snapshot()).values()
        granted = (access for of_relation in accesses for access in of_relation)
        access = next((access for access in granted if access.prefix == "app0:*"), None)
        if access is None:
            return
        endpoint = access.endpoints[0]
        login: dict[str, Any] = {"username": access.username, "password": access.password}
        with valkey.Valkey(endpoint.host, endpoint.port, **login) as connection:
            present = sum(bool(connection.exists(f"app0:{n}")) for n in range(self.written))
            assert present == self.written, (
                f"{self.written - present} of {self.written} keys are gone"
            )
            connection.set(f"app0:{self.written}", "x")
            self.written += 1
            replicas = len(access.read_only_endpoints)
            assert connection.wait(replicas, int(DEADLINE * 1000)) == replicas

    def _may(self, what: str, *, least: int) -> bool:
        """Whether something long may begin, for which so many units have to be well."""
        return len(self.settled) >= least and not self.hurt[0] and what not in self.had_long

    def _alive(self) -> list[str]:
        return units(self.juju)


def main() -> None:
    run_state_machine_as_test(
        seeded(int(sys.argv[1]))(FaultTestbed),
        settings=settings(
            max_examples=MODELS_OF_A_SEED,
            stateful_step_count=STEPS_OF_A_MODEL,
            deadline=None,
            database=None,
            derandomize=False,
            # To make a failure smaller would take hours; the timeline says what happened.
            phases=[Phase.generate],
            suppress_health_check=tuple(HealthCheck),
        ),
    )


if __name__ == "__main__":
    main()
