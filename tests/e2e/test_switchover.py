"""A planned change of primary loses no acknowledged write, whoever asks for it."""

from __future__ import annotations

import time

import jubilant
import pytest
import valkey

import localjuju
from valkey_client import Access, Endpoint, Topology, client

from ..conftest import ROOT, failed_hooks
from ..operated import OPERATOR, rest
from ..writer import Writer
from .accounts import credentials


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
    rest(juju)
    return juju


@pytest.mark.parametrize("how", ["action", "removal"])
def test_nothing_acknowledged_is_lost(estate: localjuju.Juju, how: str) -> None:
    access = access_of(estate, "greeter")
    with Writer(lambda: access) as writer:
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
