"""Somebody changes accounts, settings or files by hand, and the charm puts them right."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import valkey

import localjuju
from valkey_client.messages import PRIMARY_NAME

from ..conftest import failed_hooks
from ..operator_model import (
    OPERATOR,
    PORT,
    SENTINEL_PORT,
    admin,
    folder_of,
    primary_of,
    units,
    update_status,
)
from ..waits import until
from .invariants import invariants

pytestmark = [pytest.mark.faults, pytest.mark.field]


@pytest.fixture
def testbed(shared_testbed: localjuju.Juju) -> localjuju.Juju:
    return shared_testbed


@contextlib.contextmanager
def server_of(juju: localjuju.Juju, unit: str) -> Iterator[Any]:
    with admin(juju, juju.address(unit), PORT) as server:
        yield server


@contextlib.contextmanager
def sentinel_of(juju: localjuju.Juju, unit: str) -> Iterator[Any]:
    with admin(juju, juju.address(unit), SENTINEL_PORT) as sentinel:
        yield sentinel


CONNECTIONS: dict[str, Callable[..., Any]] = {"server": server_of, "sentinel": sentinel_of}


def accounts_of(juju: localjuju.Juju) -> dict[str, list[str]]:
    """Every account on every server and Sentinel."""
    accounts: dict[str, list[str]] = {}
    for unit in units(juju):
        for kind, connect in CONNECTIONS.items():
            with connect(juju, unit) as connection:
                accounts[f"{kind} of {unit}"] = connection.execute_command("ACL LIST")
    return accounts


def settings_of(juju: localjuju.Juju) -> dict[str, dict[str, str]]:
    """Every setting of every server."""
    settings: dict[str, dict[str, str]] = {}
    for unit in units(juju):
        with server_of(juju, unit) as server:
            settings[unit] = server.config_get("*")
    return settings


def log(juju: localjuju.Juju) -> str:
    return "\n".join(entry.text for entry in juju.timeline.entries("log"))


def test_accounts_have_their_rules_again(testbed: localjuju.Juju) -> None:
    update_status(testbed)
    before = accounts_of(testbed)
    with server_of(testbed, f"{OPERATOR}/0") as server:
        (client,) = (n for n in server.acl_users() if n.startswith("relation-"))
    changes = {
        "server": [
            (client, "resetpass", ">a-password-of-somebody"),
            ("default", "on", "nopass"),
            ("intruder", "on", "nopass", "~*", "&*", "+@all"),
            ("charm-sentinel", "+flushall"),
        ],
        "sentinel": [
            (client, "off"),
            ("charm-sentinel-peer", "+sentinel"),
            ("intruder", "on", "nopass", "+@all"),
        ],
    }
    on_others = [(client, "~*", "&*", "+@all"), ("charm-replication", "~*", "+@all")]
    for unit in units(testbed):
        for kind, connect in CONNECTIONS.items():
            rules = changes[kind] if unit.endswith("/0") else on_others
            with connect(testbed, unit) as connection:
                for rule in rules:
                    connection.execute_command("ACL SETUSER", *rule)
    assert all(before[name] != accounts for name, accounts in accounts_of(testbed).items())
    update_status(testbed)
    assert accounts_of(testbed) == before
    text = log(testbed)
    assert f"server of {OPERATOR}/0: deleted accounts that no relation asked for: intruder" in text
    assert "a-password-of-somebody" not in text
    assert failed_hooks(testbed) == []


@pytest.mark.parametrize("name", ["charm-replication", "charm-sentinel"])
def test_another_password_of_an_internal_account_does_not_last(
    testbed: localjuju.Juju, name: str
) -> None:
    with server_of(testbed, primary_of(testbed)) as server:
        server.execute_command("ACL SETUSER", name, "resetpass", ">wrong")
        for kind in ("replica", "normal"):
            server.execute_command("CLIENT KILL", "TYPE", kind, "SKIPME", "yes")
    update_status(testbed)
    invariants(testbed)
    assert failed_hooks(testbed) == []


@pytest.mark.parametrize("kind", CONNECTIONS)
def test_the_charm_comes_in_again_after_its_own_password_was_changed(
    testbed: localjuju.Juju, kind: str
) -> None:
    before = accounts_of(testbed)
    unit = f"{OPERATOR}/1"
    with CONNECTIONS[kind](testbed, unit) as connection:
        connection.execute_command("ACL SETUSER", "charm-admin", "resetpass", ">wrong")
    with pytest.raises(valkey.AuthenticationError), CONNECTIONS[kind](testbed, unit) as connection:
        connection.ping()
    update_status(testbed)
    invariants(testbed)
    assert accounts_of(testbed) == before
    assert failed_hooks(testbed) == []


CHANGED = {
    "appendonly": "no",
    "appendfsync": "no",
    "save": "3600 1",
    "masterauth": "wrong",
    "masteruser": "nobody",
    "replica-announced": "no",
    "replica-read-only": "no",
    "timeout": "1",
    "maxclients": "100",
    "maxmemory": "104857600",
    "maxmemory-policy": "allkeys-lru",
    "auto-aof-rewrite-percentage": "0",
    "repl-timeout": "5",
    "min-replicas-to-write": "0",
    "protected-mode": "yes",
}


def test_settings_are_as_they_were(testbed: localjuju.Juju) -> None:
    update_status(testbed)
    before = settings_of(testbed)
    for unit in units(testbed):
        with server_of(testbed, unit) as server:
            for name, value in CHANGED.items():
                server.config_set(name, value)
    update_status(testbed)
    after = settings_of(testbed)
    for unit, settings in before.items():
        assert {n: v for n, v in after[unit].items() if v != settings[n]} == {}
    assert "somebody has changed masterauth; it is as it was" in log(testbed)
    invariants(testbed)
    assert failed_hooks(testbed) == []


@pytest.mark.parametrize(
    ("name", "value"), [("auth-pass", "wrong"), ("auth-user", "nobody"), ("parallel-syncs", "5")]
)
def test_a_sentinel_has_its_settings_again(testbed: localjuju.Juju, name: str, value: str) -> None:
    unit = f"{OPERATOR}/2"
    with sentinel_of(testbed, unit) as sentinel:
        sentinel.execute_command("SENTINEL SET", PRIMARY_NAME, name, value)
    update_status(testbed)

    def flags() -> str:
        with sentinel_of(testbed, unit) as sentinel:
            return sentinel.execute_command("SENTINEL MASTER", PRIMARY_NAME)["flags"]

    until(flags, lambda text: text == "master", what="the Sentinel reaches the primary")
    file = (folder_of(testbed, unit) / "sentinel.conf").read_text()
    assert value not in [line.split()[-1].strip('"') for line in file.splitlines() if name in line]
    assert f"somebody has changed its {name}" in log(testbed)
    invariants(testbed)
    assert failed_hooks(testbed) == []
