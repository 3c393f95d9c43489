"""A planned change of primary loses no acknowledged write, whoever asks for it."""

from __future__ import annotations

import threading
import time
from typing import Any, Self

import jubilant
import pytest
import valkey

import localjuju
from valkey_client import Access, Endpoint, Topology, client

from ..conftest import ROOT, failed_hooks
from .test_main_job import OPERATOR, credentials


class Writer:
    """Counts up as fast as it can, through Sentinel, and knows what was acknowledged."""

    def __init__(self, access: Access):
        self._access = access
        self._stop = threading.Event()
        self.acknowledged = 0
        self.errors = 0
        self.longest_gap = 0.0
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        last = time.monotonic()
        with client.connect(self._access, socket_timeout=1) as connection:
            while not self._stop.is_set():
                try:
                    connection.set(f"application:{self.acknowledged + 1}", "x")
                except valkey.ValkeyError:
                    self.errors += 1
                    time.sleep(0.02)
                    continue
                self.acknowledged += 1
                now = time.monotonic()
                self.longest_gap = max(self.longest_gap, now - last)
                last = now

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def lost(self, connection: Any) -> int:
        names = [f"application:{n}" for n in range(1, self.acknowledged + 1)]
        return sum(
            len(part) - connection.exists(*part)
            for part in (names[i : i + 1000] for i in range(0, len(names), 1000))
        )


def access_of(juju: localjuju.Juju, app: str) -> Access:
    (account,) = credentials(juju, juju.relation_id(app, "valkey"))
    hosts = [juju.address(unit) for unit in juju.status().apps[OPERATOR].units]
    topology = Topology(sentinel_endpoints=tuple(Endpoint(host, 26379) for host in hosts))
    return Access("application:*", *account, topology)


@pytest.fixture
def estate(juju: localjuju.Juju) -> localjuju.Juju:
    juju.deploy(ROOT, OPERATOR, num_units=3)
    juju.deploy(ROOT / "examples" / "greeter", "greeter")
    juju.integrate(OPERATOR, "greeter")
    juju.wait(jubilant.all_active)
    juju.settle()
    return juju


@pytest.mark.parametrize("how", ["action", "removal"])
def test_nothing_acknowledged_is_lost(estate: localjuju.Juju, how: str) -> None:
    access = access_of(estate, "greeter")
    with Writer(access) as writer:
        time.sleep(0.5)
        if how == "action":
            task = estate.run(f"{OPERATOR}/leader", "switchover", {"unit": f"{OPERATOR}/2"})
            assert task.results == {"primary": f"{OPERATOR}/2"}
        else:
            estate.remove_unit(f"{OPERATOR}/0")
            estate.wait(lambda status: f"{OPERATOR}/0" not in status.apps[OPERATOR].units)
        time.sleep(0.5)
    estate.settle()
    access = access_of(estate, "greeter")
    with client.connect(access) as connection:
        assert writer.lost(connection) == 0
    assert writer.acknowledged > 1000
    answer = estate.databag(estate.relation_id("greeter", "valkey"), OPERATOR)["requests"]
    primaries = []
    for unit in estate.status().apps[OPERATOR].units:
        with valkey.Valkey(
            estate.address(unit), username=access.username, password=access.password
        ) as connection:
            if connection.execute_command("ROLE")[0] in {b"master", "master"}:
                primaries.append(estate.address(unit))
    assert len(primaries) == 1
    assert f'"endpoints": "{primaries[0]}:6379"' in answer
    assert failed_hooks(estate) == []


def test_mistakes_are_explained(estate: localjuju.Juju) -> None:
    for unit, parameters, message in (
        (f"{OPERATOR}/1", {}, "run this action on the leader"),
        (f"{OPERATOR}/0", {"unit": "valkey/9"}, "there is no unit valkey/9"),
        (f"{OPERATOR}/0", {"unit": f"{OPERATOR}/0"}, "is the primary already"),
    ):
        with pytest.raises(jubilant.TaskError, match=message):
            estate.run(unit, "switchover", parameters)
