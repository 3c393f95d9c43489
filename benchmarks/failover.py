#!/usr/bin/env python3
"""What a change of primary costs an application: time, writes, and time until it is told.

The operator runs with three units in localjuju, each run in a model of its own; a writer uses the
relation's account through this project's client.

- *outage*: seconds without a successful write;
- *lost*: acknowledged writes that are missing when all is over;
- *failed*: writes that raised an error;
- *told*: seconds from the first Sentinel's ``+switch-master`` until the requirer's databag shows
  the new primary; nothing if that takes more than 15 s.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import jubilant
import valkey
from _writer import Writer
from rich.console import Console
from rich.table import Table

import localjuju
from valkey_client import Access, Topology
from valkey_client.messages import parse_endpoints
from valkey_client_testing import find_binary

ROOT = Path(__file__).parent.parent
OPERATOR = "valkey"
DOWN_AFTER = 5
PLAIN_DOWN_AFTER = 30


@dataclass(frozen=True)
class Outcome:
    """What one run cost."""

    outage: float
    lost: int
    failed: int
    told: float | None
    rate: float


class Testbed:
    """The operator with three units, and an application with an account."""

    def __init__(self, juju: localjuju.Juju, down_after: int):
        self.juju = juju
        juju.deploy(ROOT, OPERATOR, num_units=3, config={"down-after": down_after})
        juju.deploy(ROOT / "examples" / "greeter", "greeter")
        juju.integrate(OPERATOR, "greeter")
        juju.wait(jubilant.all_active, timeout=120)
        juju.settle(120)
        self._relation = juju.relation_id("greeter", "valkey")
        self._units = {juju.address(unit): unit for unit in juju.status().apps[OPERATOR].units}
        self._frozen: list[int] = []
        wait_for(self._can_fail_over)

    def _said(self) -> dict[str, Any]:
        return json.loads(self.juju.databag(self._relation, OPERATOR)["requests"])[0]

    @property
    def access(self) -> Access:
        """The application's account."""
        said = self._said()
        user = self.juju.show_secret(said["secret-user"], reveal=True).content
        sentinels = parse_endpoints(said["sentinel-endpoints"])
        topology = Topology(sentinel_endpoints=sentinels)
        return Access("application:*", user["username"], user["password"], topology)

    @property
    def published(self) -> str:
        """The address that the databag names as the primary."""
        return parse_endpoints(self._said()["endpoints"])[0].host

    def _ask(self, address: str, port: int, question: Callable[[Any], Any]) -> Any:
        """Ask a server or Sentinel with the charm's own account."""
        secret = next(s for s in self.juju.secrets() if s.label == "valkey-peers.internal")
        password = self.juju.show_secret(secret.uri, reveal=True).content["admin-password"]
        login: dict[str, Any] = {"username": "charm-admin", "password": password}
        with valkey.Valkey(
            address, port, decode_responses=True, socket_timeout=1, **login
        ) as connection:
            return question(connection)

    def _can_fail_over(self) -> bool:
        """Sentinels find each other within 2 s, and all replicas within 10 s."""
        for address in self._units:
            found = self._ask(address, 26379, lambda s: s.sentinel_slaves("primary"))
            if sum(replica["master-link-status"] == "ok" for replica in found) != 2:
                return False
        return True

    def is_settled(self) -> bool:
        """Whether there is one primary, and everybody who lives follows it."""
        followed: set[str] = set()
        for address in self._units:
            try:
                role = self._ask(address, 6379, lambda s: s.execute_command("ROLE"))
            except (valkey.ConnectionError, valkey.TimeoutError):
                continue
            followed.add(address if role[0] == "master" else str(role[1]))
        return len(followed) == 1

    def _pid(self, address: str) -> int:
        unit = self._units[address].replace("/", "-")
        file = self.juju.directory / "agents" / f"unit-{unit}" / "valkey" / "server.pid"
        return int(file.read_text().split()[0])

    # The changes of primary.

    def kill(self) -> None:
        """SIGKILL for the primary."""
        os.kill(self._pid(self.published), signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP for the primary."""
        self._frozen.append(self._pid(self.published))
        os.kill(self._frozen[-1], signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT for whom was stopped."""
        for pid in self._frozen:
            os.kill(pid, signal.SIGCONT)
        self._frozen.clear()

    def switch_over(self) -> None:
        """The operator's action."""
        self.juju.run(f"{OPERATOR}/leader", "switchover")

    def fail_over(self) -> None:
        """What an operator does by hand: tell a Sentinel, and nobody else."""
        address = self.published
        self._ask(address, 26379, lambda s: s.execute_command("SENTINEL FAILOVER primary"))


class Watch:
    """Waits for the first Sentinel to say that the primary is another one, then for the databag.

    Attributes:
        switched: When a Sentinel said so, by the monotonic clock.
        told: When the databag showed it.
    """

    def __init__(self, testbed: Testbed):
        self._testbed = testbed
        self._before = testbed.published
        self._access = testbed.access
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.switched: float | None = None
        self.told: float | None = None

    def _run(self) -> None:
        login = {"username": self._access.username, "password": self._access.password}
        sentinels = [
            valkey.Valkey(e.host, e.port, **login) for e in self._access.sentinel_endpoints
        ]
        subscribers = [s.pubsub(ignore_subscribe_messages=True) for s in sentinels]
        for subscriber in subscribers:
            subscriber.subscribe("+switch-master")
        self._ready.set()
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and not self.switched:
            if any(s.get_message(timeout=0.005) for s in subscribers):
                self.switched = time.monotonic()
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and not self.told:
            if self._testbed.published != self._before:
                self.told = time.monotonic()
            time.sleep(0.005)
        for connection in (*subscribers, *sentinels):
            connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()


@dataclass(frozen=True)
class Scenario:
    """One way in which the primary changes.

    Attributes:
        name: For the table.
        change: What happens.
        goal: Most seconds without a write, if there is a goal.
        down_after: The operator's configuration.
        is_plain: Whether it is there to be compared with.
    """

    name: str
    change: Callable[[Testbed], None]
    goal: float | None = None
    down_after: int = DOWN_AFTER
    is_plain: bool = False


SCENARIOS = (
    Scenario("kill -9", Testbed.kill, DOWN_AFTER + 1.5),
    Scenario("kill -9, down-after 30 s", Testbed.kill, None, PLAIN_DOWN_AFTER, is_plain=True),
    # Sentinel counts from the first PING without an answer, and they come each second.
    Scenario("SIGSTOP", Testbed.freeze),
    Scenario("switchover action", Testbed.switch_over, 2.6),
    Scenario("SENTINEL FAILOVER", Testbed.fail_over, is_plain=True),
)


def run(scenario: Scenario) -> Outcome:
    """Build everything, change the primary under a writer, and count."""
    with localjuju.Juju(environment=find_binary().environment()) as juju:
        testbed = Testbed(juju, scenario.down_after)
        with Writer(testbed.access) as writer:
            with Watch(testbed) as watch:
                wait_for(lambda: len(writer.acknowledged) > 1000)
                scenario.change(testbed)
            testbed.thaw()
            wait_for(testbed.is_settled)
            enough = len(writer.acknowledged) + 1000
            wait_for(lambda: len(writer.acknowledged) > enough)
        told = None
        if watch.told and watch.switched:
            # The action may publish before a Sentinel has said anything.
            told = max(0.0, watch.told - watch.switched)
        return Outcome(writer.longest_gap, writer.lost(), writer.failed, told, writer.rate)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come true")
        time.sleep(0.05)


def show(results: Sequence[tuple[Scenario, Sequence[Outcome]]]) -> None:
    """Print a table: median and worst."""
    title = f"A change of primary, Valkey {find_binary().name}: median (worst)"
    table = Table(title=title, title_justify="left")
    for column in ("", "runs", "outage s", "goal", "lost", "failed", "told s", "writes/s"):
        table.add_column(column, justify="right" if column else "left")
    for scenario, outcomes in results:
        table.add_row(
            scenario.name,
            str(len(outcomes)),
            _median([o.outage for o in outcomes], "{:.2f}"),
            "" if scenario.goal is None else f"{scenario.goal:.1f}",
            _median([o.lost for o in outcomes], "{:.0f}"),
            _median([o.failed for o in outcomes], "{:.0f}"),
            _median([o.told for o in outcomes], "{:.2f}"),
            f"{statistics.median(o.rate for o in outcomes):.0f}",
        )
    Console().print(table)


def _median(values: Sequence[float | None], form: str) -> str:
    found = [value for value in values if value is not None]
    if len(found) < len(values):
        return f"> 15 ({len(values) - len(found)} of {len(values)})"
    return f"{form.format(statistics.median(found))} ({form.format(max(found))})"


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description="What a change of primary costs an application.")
    parser.add_argument("--runs", type=int, default=5, help="runs of what this project does")
    parser.add_argument("--plain-runs", type=int, default=1, help="runs of the plain approach")
    parser.add_argument("--only", action="append", help="the name of a scenario")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    results: list[tuple[Scenario, list[Outcome]]] = []
    for scenario in SCENARIOS:
        if not options.only or scenario.name in options.only:
            runs = options.plain_runs if scenario.is_plain else options.runs
            outcomes: list[Outcome] = []
            for number in range(1, runs + 1):
                outcomes.append(run(scenario))
                print(f"{scenario.name} {number}/{runs}: {outcomes[-1]}", file=sys.stderr)
            results.append((scenario, outcomes))
    if options.json:
        named = [
            {"scenario": scenario.name, "goal": scenario.goal, "runs": list(map(asdict, outcomes))}
            for scenario, outcomes in results
        ]
        print(json.dumps(named, indent=2))
    else:
        show(results)


if __name__ == "__main__":
    main()
