"""One relation's end, seen from relations whose numbers begin with the same digits."""

from __future__ import annotations

import json
from typing import Any

import pytest
import valkey

import localjuju

from ..conftest import ROOT, failed_hooks
from ..operator_model import OPERATOR

pytestmark = pytest.mark.isolation

NUMBERS = (1, 10, 11, 100)


def bag(number: int) -> dict[str, str]:
    """What the application of a relation asks for; odd numbers in v0, whose accounts are shorter."""
    prefix = f"app{number}:*"
    if number % 2:
        return {"database": prefix}
    request = {"resource": prefix, "request-id": "1", "salt": "0123456789abcdef"}
    return {"version": "v1", "requests": json.dumps([request])}


def connect(juju: localjuju.Juju, port: int, **login: Any) -> valkey.Valkey:
    return valkey.Valkey(juju.address(f"{OPERATOR}/0"), port, decode_responses=True, **login)


def accounts(juju: localjuju.Juju, port: int) -> dict[int, list[str]]:
    """The server's own lines on the accounts of each relation."""
    secret = next(s for s in juju.secrets() if s.label == "valkey-peers.internal")
    password = juju.show_secret(secret.uri, reveal=True).content["admin-password"]
    with connect(juju, port, username="charm-admin", password=password) as admin:
        lines = [str(line) for line in admin.execute_command("ACL LIST")]
    lines_by_relation: dict[int, list[str]] = {}
    for line in sorted(lines):
        name = line.split()[1]
        if name.startswith("relation-"):
            lines_by_relation.setdefault(int(name.split("-")[1]), []).append(line)
    return lines_by_relation


def user(juju: localjuju.Juju, number: int) -> dict[str, str]:
    """The name and password that a relation was given."""
    answer = juju.databag(number, OPERATOR)
    if "requests" in answer:
        (answer,) = json.loads(answer["requests"])
    content = juju.show_secret(answer["secret-user"], reveal=True).content
    return {"username": content["username"], "password": content["password"]}


def test_removing_relation_1_keeps_relations_10_11_and_100(
    juju: localjuju.Juju,
) -> None:
    juju.deploy(ROOT, OPERATOR)
    juju.settle()
    for number in NUMBERS:
        config = {"databag": json.dumps(bag(number))}
        juju.deploy(ROOT / "examples" / "malformed_requirer", f"app{number}", config=config)
        juju.settle()
        juju.set_next_relation_id(number)
        juju.integrate(OPERATOR, f"app{number}")
        juju.settle()
        assert juju.relation_id(f"app{number}", "valkey") == number
    before = {port: accounts(juju, port) for port in (6379, 26379)}
    assert all(lines.keys() == set(NUMBERS) for lines in before.values())
    told = {number: juju.databag(number, OPERATOR) for number in NUMBERS}
    open_ones = {number: connect(juju, 6379, **user(juju, number)) for number in NUMBERS}
    ids = {number: one.client_id() for number, one in open_ones.items()}
    for number, one in open_ones.items():
        one.set(f"app{number}:k", number)

    juju.remove_relation(OPERATOR, "app1")
    juju.settle()

    for port, by_relation in before.items():
        assert accounts(juju, port) == {n: lines for n, lines in by_relation.items() if n != 1}
    for number in NUMBERS[1:]:
        assert open_ones[number].client_id() == ids[number]
        assert open_ones[number].get(f"app{number}:k") == str(number)
        assert juju.databag(number, OPERATOR) == told[number]
    with pytest.raises(valkey.AuthenticationError):
        open_ones[1].get("app1:k")
    for one in open_ones.values():
        one.close()
    assert failed_hooks(juju) == []
