"""A planned change of primary loses no acknowledged write, whoever asks for it."""

from __future__ import annotations

import jubilant
import pytest
import valkey

import localjuju
from valkey_client import Access, Endpoint, Topology, client

from ..conftest import ROOT, failed_hooks
from ..operator_model import OPERATOR, addresses_of, rest
from ..writer import Writer
from .accounts import credentials


def access_of(juju: localjuju.Juju, app: str) -> Access:
    (account,) = credentials(juju, juju.relation_id(app, "valkey"))
    hosts = addresses_of(juju).values()
    topology = Topology(sentinel_endpoints=tuple(Endpoint(host, 26379) for host in hosts))
    return Access("application:*", *account, topology)


@pytest.fixture
def testbed(juju: localjuju.Juju) -> localjuju.Juju:
    juju.deploy(ROOT, OPERATOR, num_units=3)
    juju.deploy(ROOT / "examples" / "greeter", "greeter")
    juju.integrate(OPERATOR, "greeter")
    juju.settle()  # Cheaper than asking for the status all the time.
    juju.wait(jubilant.all_active)
    rest(juju)
    return juju


@pytest.mark.parametrize("how", ["action", "removal"])
def test_change_of_primary_loses_no_acknowledged_write(testbed: localjuju.Juju, how: str) -> None:
    access = access_of(testbed, "greeter")
    with Writer(lambda: access) as writer:
        writer.await_writes(600)
        if how == "action":
            task = testbed.run(f"{OPERATOR}/leader", "switchover", {"unit": f"{OPERATOR}/2"})
            assert task.results == {"primary": f"{OPERATOR}/2"}
        else:
            testbed.remove_unit(f"{OPERATOR}/0")
            testbed.wait(lambda status: f"{OPERATOR}/0" not in status.apps[OPERATOR].units)
        writer.await_writes(600)
    testbed.settle()
    access = access_of(testbed, "greeter")
    with client.connect(access) as connection:
        assert writer.lost(connection) == 0
    assert writer.acknowledged > 1000
    answer = testbed.databag(testbed.relation_id("greeter", "valkey"), OPERATOR)["requests"]
    primaries = []
    for address in addresses_of(testbed).values():
        with valkey.Valkey(
            address, username=access.username, password=access.password
        ) as connection:
            if connection.execute_command("ROLE")[0] in {b"master", "master"}:
                primaries.append(address)
    assert len(primaries) == 1
    assert f'"endpoints": "{primaries[0]}:6379"' in answer
    assert failed_hooks(testbed) == []


def test_switchover_action_explains_wrong_parameters(testbed: localjuju.Juju) -> None:
    for unit, parameters, message in (
        (f"{OPERATOR}/1", {}, f"only the leader can do this: juju run {OPERATOR}/leader"),
        (f"{OPERATOR}/0", {"unit": "valkey/9"}, "there is no unit valkey/9"),
        (f"{OPERATOR}/0", {"unit": f"{OPERATOR}/0"}, "is the primary already"),
    ):
        with pytest.raises(jubilant.TaskError, match=message):
            testbed.run(unit, "switchover", parameters)
