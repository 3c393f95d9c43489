"""What an operator reads in ``juju debug-log``: every change is one line at info."""

from __future__ import annotations

import re
import signal

import jubilant

import localjuju

from ..conftest import ROOT, MakeModel
from ..operator_model import (
    DOWN_AFTER,
    OPERATOR,
    access_of,
    addresses_of,
    await_primary,
    primary_of,
    send,
    units,
    update_status,
)
from ..waits import until


class LogReader:
    """Reads the info lines of each step, with names in place of addresses and accounts."""

    def __init__(self, juju: localjuju.Juju):
        self._juju = juju
        self._position = 0

    def skip(self) -> None:
        """Leave out what was logged until now."""
        self._position = len(self._juju.timeline.entries("log"))

    def read(self, account: str) -> dict[str, list[str]]:
        """The lines that each unit has logged since the last call."""
        entries = self._juju.timeline.entries("log")[self._position :]
        self._position += len(entries)
        lines: dict[str, list[str]] = {unit: [] for unit in units(self._juju)}
        for entry in entries:
            level, _, text = entry.text.partition(" ")
            if entry.subject in lines and level == "INFO":
                for unit, address in addresses_of(self._juju).items():
                    text = text.replace(f"{unit} ({address})", unit).replace(address, unit)
                # The epoch of a failover counts attempts too.
                text = re.sub(r"epoch \d+", "epoch N", text.replace(account, "ACCOUNT"))
                lines[entry.subject].append(text)
        return lines


def test_log_of_a_grant_a_failover_and_a_release(make_model: MakeModel) -> None:
    juju = make_model()
    juju.deploy(ROOT, OPERATOR, num_units=3, config={"down-after": DOWN_AFTER})
    juju.deploy(ROOT / "examples" / "greeter", "greeter")
    juju.settle()
    log = LogReader(juju)
    log.skip()

    juju.integrate(OPERATOR, "greeter")
    juju.wait(jubilant.all_active)
    juju.settle()
    account = access_of(juju).username
    files = "account files for the next start: 1 clients"
    assert log.read(account) == {
        "valkey/0": [
            "server of valkey/1: setting accounts ACCOUNT",
            "server of valkey/2: setting accounts ACCOUNT",
            "server of valkey/0: setting accounts ACCOUNT",
            "Sentinel of valkey/0: setting accounts ACCOUNT",
            "Sentinel of valkey/1: setting accounts ACCOUNT",
            "Sentinel of valkey/2: setting accounts ACCOUNT",
            "greeter (relation 1): granted ACCOUNT, a new account for prefix application:*",
            files,
        ],
        "valkey/1": [files],
        "valkey/2": [files],
    }

    send(juju, primary_of(juju), "server", signal.SIGKILL)
    new = await_primary(juju, other_than="valkey/0")
    other = ({"valkey/1", "valkey/2"} - {new}).pop()
    replicas = {juju.address("valkey/0"), juju.address(other)}

    def replicas_known_to_clients() -> set[str]:
        juju.settle()
        hosts = {endpoint.host for endpoint in access_of(juju).read_only_endpoints}
        if hosts != replicas:
            update_status(juju)  # One of them was not in sync when the leader looked last.
        return hosts

    until(replicas_known_to_clients, lambda hosts: hosts == replicas, what="both replicas serve")
    lines = log.read(account)
    told = [line for line in lines["valkey/0"] if line.startswith("telling clients")]
    assert [line for line in lines["valkey/0"] if line not in told] == [
        f"Sentinel: primary valkey/0 -> {new}",
        f"primary is {new}, epoch N",
        f"starting the server as a replica of {new}",
        "server of valkey/0: setting replica-priority to '100'",
    ]
    sentinels = "Sentinels valkey/0:26379, valkey/1:26379, valkey/2:26379"
    assert told[0].startswith(f"telling clients: primary {new}:6379, ")
    assert (
        told[-1]
        == f"telling clients: primary {new}:6379, replicas valkey/0:6379, {other}:6379, {sentinels}"
    )
    assert lines["valkey/1"] == lines["valkey/2"] == []

    juju.remove_relation(OPERATOR, "greeter")
    juju.settle()
    files = "account files for the next start: 0 clients"
    lines = log.read(account)
    assert lines["valkey/0"] == [
        *(f"server of {u}: dropping accounts ACCOUNT" for u in ("valkey/0", other, new)),
        "Sentinel of valkey/0: dropping accounts ACCOUNT",
        "Sentinel of valkey/1: dropping accounts ACCOUNT",
        "Sentinel of valkey/2: dropping accounts ACCOUNT",
        "relation 1: withdrew the access of ACCOUNT",
        files,
    ]
    assert lines["valkey/1"] == lines["valkey/2"] == [files]
