"""Whatever a requirer writes: no hook fails, it is told, and nobody else notices."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import pytest

import localjuju
from valkey_client_testing import Binary

from ..conftest import ROOT, failed_hooks
from ..operator_model import OPERATOR
from ..waits import PatientJuju, until
from .accounts import accounts

pytestmark = pytest.mark.xdist_group("malformed-requests")

SALT = "0123456789abcdef"


def v1(*requests: Any) -> dict[str, str]:
    return {"version": "v1", "requests": json.dumps(list(requests))}


def request(resource: Any = "bad:*", request_id: Any = "1") -> dict[str, Any]:
    return {"resource": resource, "request-id": request_id, "salt": SALT}


MALFORMED, REFUSED, DUPLICATE, VERSION = 5001, 5002, 5003, 5004

BAD: dict[str, tuple[dict[str, str], int]] = {
    "not JSON": ({"version": "v1", "requests": "[{"}, MALFORMED),
    "a string": ({"version": "v1", "requests": '"x"'}, MALFORMED),
    "an object": ({"version": "v1", "requests": "{}"}, MALFORMED),
    "a number": ({"version": "v1", "requests": "7"}, MALFORMED),
    "null": ({"version": "v1", "requests": "null"}, MALFORMED),
    "a list of null": ({"version": "v1", "requests": "[null]"}, MALFORMED),
    "nested beyond reason": ({"version": "v1", "requests": "[" * 100_000}, MALFORMED),
    "unknown version": ({"version": "v7", "requests": "[]"}, VERSION),
    "null resource": (v1(request(None)), REFUSED),
    "integer resource": (v1(request(5)), REFUSED),
    "missing resource": (v1({"request-id": "1", "salt": SALT}), MALFORMED),
    "empty resource": (v1(request("")), REFUSED),
    "missing id": (v1({"resource": "bad:*", "salt": SALT}), MALFORMED),
    "empty id": (v1(request(request_id="")), MALFORMED),
    "integer id": (v1(request(request_id=5)), MALFORMED),
    "huge id": (v1(request(request_id="x" * 1_000_000)), MALFORMED),
    "one id for two": (v1(request("a:*"), request("b:*")), DUPLICATE),
    "spaces": (v1(request("bad: *")), REFUSED),
    "administrator": (v1(request("app:* ~* +@all")), REFUSED),
    "crash at ACL LOAD": (v1(request("app:* (x")), REFUSED),
    "newline": (v1(request("bad:\nuser evil on nopass ~* +@all*")), REFUSED),
    "quotes": (v1(request('bad:"*')), REFUSED),
    "parentheses": (v1(request("bad:()*")), REFUSED),
    "glob": (v1(request("[^a]*")), REFUSED),
    "question mark": (v1(request("?*")), REFUSED),
    "backslash": (v1(request("bad:\\*")), REFUSED),
    "not ASCII": (v1(request("schlüssel:*")), REFUSED),
    "lone surrogate": ({"version": "v1", "requests": '[{"resource": "\\ud800", "request-id": "1"}]'}, REFUSED),
    "a megabyte": (v1(request("x" * 1_000_000)), REFUSED),
    "reserved": (v1(request("__sentinel__:*")), REFUSED),
    "v0 with a space": ({"database": "app:* ~*"}, REFUSED),
}  # fmt: skip

SERVED: dict[str, tuple[dict[str, str], int]] = {
    "id with a newline": (v1(request(request_id="1\nuser evil on nopass ~* +@all")), 1),
    "id with blanks, quotes, globs": (v1(request(request_id="a b \"'()*?[] ü")), 1),
    "the same request twice": (v1(request(), request()), 1),
    "a good one among bad ones": (v1(None, request(5, "2"), request("good:*", "3")), 1),
    "dangling secret-mtls": (v1({**request(), "secret-mtls": "secret:gone"}), 1),
    "unknown fields and nulls": (v1({**request(), "entity-type": None, "colour": [1]}), 1),
    "v0 with a number": ({"database": "123"}, 1),
    "v0 with a boolean": ({"database": "true"}, 1),
    "v0 with bad requested-secrets": ({"database": "b:*", "requested-secrets": "{"}, 1),
    "unknown version, but v0 fields": ({"version": "v7", "database": "b:*"}, 1),
    "a hundred requests": (v1(*(request(f"n{n}:*", f"id{n}") for n in range(100))), 100),
}


@pytest.fixture(scope="module")
def testbed(binary: Binary) -> Generator[localjuju.Juju]:
    """A provider, a good neighbour, and an application that writes what it is told to."""
    environment = binary.environment()
    with PatientJuju(environment=environment) as juju:
        juju.deploy(ROOT, OPERATOR)
        juju.deploy(ROOT / "examples" / "greeter", "neighbour")
        juju.deploy(
            ROOT / "examples" / "malformed_requirer", "malformed", config={"databag": "{}"}
        )
        juju.integrate(OPERATOR, "neighbour")
        juju.integrate(OPERATOR, "malformed")
        juju.settle()
        yield juju


def write(juju: localjuju.Juju, bag: dict[str, str]) -> dict[str, str]:
    """Let the application write a databag; returns the provider's."""
    file = juju.directory / f"databag-{len(juju.timeline.entries())}.json"
    file.write_text(json.dumps(bag))
    juju.config("malformed", {"databag-file": str(file)})
    juju.settle()
    return juju.databag(juju.relation_id("malformed", "valkey"), OPERATOR)


def own_accounts(juju: localjuju.Juju) -> set[str]:
    prefix = f"relation-{juju.relation_id('malformed', 'valkey')}"
    names = accounts(juju)[f"{OPERATOR}/0:6379"]
    return {name for name in names if name == prefix or name.startswith(f"{prefix}-")}


def the_neighbour_is_served(juju: localjuju.Juju) -> bool:
    times = juju.run("neighbour/0", "greet").results["times"]
    return int(times) > 0 and juju.status().apps["neighbour"].units["neighbour/0"].is_active


@pytest.mark.parametrize("name", BAD)
def test_malformed_request_gets_a_status_and_no_account(
    testbed: localjuju.Juju, name: str
) -> None:
    write(testbed, {})
    bag, code = BAD[name]
    answer = write(testbed, bag)
    statuses = json.loads(answer["status"])
    assert code in {status["code"] for status in statuses}
    assert all(status["message"] and len(status["message"]) < 700 for status in statuses)
    granted = own_accounts(testbed)
    assert len(granted) == (1 if code == DUPLICATE else 0)
    assert the_neighbour_is_served(testbed)
    assert failed_hooks(testbed) == []


@pytest.mark.parametrize("name", SERVED)
def test_unusual_request_is_served(testbed: localjuju.Juju, name: str) -> None:
    write(testbed, {})
    bag, count = SERVED[name]
    answer = write(testbed, bag)
    assert len(own_accounts(testbed)) == count
    if bag.get("version") == "v1":
        responses = json.loads(answer["requests"])
        requested = {r["request-id"] for r in json.loads(bag["requests"]) if isinstance(r, dict)}
        assert {r["request-id"] for r in responses} <= requested
        assert {r["request-id"] for r in responses} <= json.loads(answer["data"]).keys()
        assert len(responses) == count
    else:
        assert answer["secret-user"].startswith("secret:")
    assert the_neighbour_is_served(testbed)
    assert failed_hooks(testbed) == []


def test_malformed_databag_after_a_grant_keeps_the_account(testbed: localjuju.Juju) -> None:
    write(testbed, {})
    write(testbed, v1(request("kept:*", "kept")))
    (account,) = own_accounts(testbed)
    answer = write(testbed, {"version": "v1", "requests": "garbage"})
    assert own_accounts(testbed) == {account}
    assert [r["request-id"] for r in json.loads(answer["requests"])] == ["kept"]
    assert [s["code"] for s in json.loads(answer["status"])] == [MALFORMED]
    answer = write(testbed, v1(request("kept:*", "kept")))
    assert "status" not in answer
    write(testbed, v1())
    assert own_accounts(testbed) == set()
    assert failed_hooks(testbed) == []


def test_relation_removed_while_its_first_hook_is_retried_leaves_no_secret(
    testbed: localjuju.Juju,
) -> None:
    testbed.deploy(ROOT / "examples" / "malformed_requirer", "brief", config={"prefix": "brief:*"})
    testbed.settle()
    before = {s.uri for s in testbed.secrets() if s.label and "valkey-client" in s.label}
    killed: list[str] = []

    def die_once(call: localjuju.HookCall) -> None:
        about_brief = call.event.remote_app == "brief" and call.event.kind == "relation-changed"
        if about_brief and call.command == "secret-grant" and not killed:
            killed.append(call.command)
            raise localjuju.LocalJujuError("the hook is interrupted")

    with testbed.on_call(die_once):
        testbed.integrate(OPERATOR, "brief")
        until(lambda: killed, what="the first hook is interrupted")
        testbed.remove_relation(OPERATOR, "brief")
        testbed.settle()
    after = {s.uri for s in testbed.secrets() if s.label and "valkey-client" in s.label}
    assert after == before
    assert the_neighbour_is_served(testbed)
