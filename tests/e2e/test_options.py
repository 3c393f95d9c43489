"""What requests say beyond the prefix, and prefixes that overlap, with real servers."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import jubilant
import pytest
import valkey

import localjuju
from valkey_client_testing import Binary

from ..conftest import CHARMS, ROOT, failed_hooks, logged_events
from ..operator_model import OPERATOR
from ..waits import DEADLINE


@pytest.fixture
def operator(juju: localjuju.Juju) -> localjuju.Juju:
    juju.deploy(ROOT, OPERATOR)
    return juju


def ask(juju: localjuju.Juju, name: str, prefix: str, **options: Any) -> None:
    config = {"prefix": prefix, "options": json.dumps(options)}
    juju.deploy(CHARMS / "scripted_requirer", name, config=config)
    juju.integrate(OPERATOR, name)
    juju.settle()


def last(juju: localjuju.Juju, name: str) -> dict[str, Any]:
    return logged_events(juju, f"{name}/0")[-1]


@contextmanager
def login(juju: localjuju.Juju, name: str) -> Generator[Any]:
    access = last(juju, name)
    host = access["endpoints"].partition(":")[0]
    with valkey.Valkey(
        host,
        db=access["database"],
        username=access["username"],
        password=access["password"],
        decode_responses=True,
    ) as connection:
        yield connection


def clients(juju: localjuju.Juju) -> dict[str, dict[str, Any]]:
    clients = json.loads(juju.run(f"{OPERATOR}/leader", "list-clients").results["clients"])
    return {client["application"]: client for client in clients}


def codes(juju: localjuju.Juju, name: str) -> list[int]:
    bag = juju.databag(juju.relation_id(name, "valkey"), OPERATOR)
    return [status["code"] for status in json.loads(bag.get("status", "[]"))]


def test_channel_patterns_and_keyspace_events_are_granted(operator: localjuju.Juju) -> None:
    juju = operator
    ask(juju, "plain", "app:*")
    ask(juju, "asker", "app:*", channel_patterns=["app:room.*"], keyspace_events=True)
    with login(juju, "plain") as plain, pytest.raises(valkey.exceptions.NoPermissionError):
        plain.execute_command("PSUBSCRIBE", "app:room.*")
    with login(juju, "asker") as asker, asker.pubsub() as listener:
        listener.psubscribe("app:room.*", "__keyspace@0__:app:*")
        asker.publish("app:room.1", "hello")
        asker.set("app:k", "1")
        heard: set[tuple[str, str]] = set()
        while len(heard) < 2:
            message = listener.get_message(timeout=DEADLINE)
            assert message, heard
            if message["type"] == "pmessage":
                heard.add((message["channel"], message["data"]))
        assert heard == {("app:room.1", "hello"), ("__keyspace@0__:app:k", "set")}
        with pytest.raises(valkey.exceptions.NoPermissionError):
            asker.execute_command("PSUBSCRIBE", "__keyevent@0__:*")
    assert failed_hooks(juju) == []


def test_changed_options_change_the_account_and_keep_its_password(
    operator: localjuju.Juju,
) -> None:
    juju = operator
    ask(juju, "asker", "app:*")
    first = last(juju, "asker")
    with login(juju, "asker") as asker:
        juju.config("asker", {"options": json.dumps({"channel_patterns": ["app:x*"]})})
        juju.settle()
        asker.ping()
    after = last(juju, "asker")
    assert after["fields"] == ["channel-patterns"]
    assert after["password"] == first["password"]
    assert after["options"] == {"channel-patterns": ["app:x*"]}


def test_scan_needs_the_allow_scan_option(operator: localjuju.Juju) -> None:
    juju = operator
    ask(juju, "asker", "app:*", scan=True)
    assert codes(juju, "asker") == [1002]
    with login(juju, "asker") as asker, pytest.raises(valkey.exceptions.NoPermissionError):
        asker.scan()
    juju.config(OPERATOR, {"allow-scan": True})
    juju.settle()
    assert last(juju, "asker")["fields"] == ["scan"]
    assert codes(juju, "asker") == []
    with login(juju, "asker") as asker:
        asker.set("app:k", "1")
        assert list(asker.scan_iter()) == ["app:k"]


def test_own_database_is_granted_and_kept_after_removal(
    operator: localjuju.Juju, binary: Binary
) -> None:
    juju = operator
    ask(juju, "plain", "app:*")
    ask(juju, "asker", "app:*", own_database=True)
    if binary.version < (9, 1, 2):
        assert 1002 in codes(juju, "asker")
        assert last(juju, "asker")["database"] == 0
        return
    assert last(juju, "asker")["database"] == 16
    with login(juju, "plain") as plain, login(juju, "asker") as asker:
        plain.set("app:k", "1")
        asker.mset({"app:a": "1", "app:b": "2"})
        assert sorted(asker.keys()) == ["app:a", "app:b"]
        asker.flushdb()
        asker.set("app:left", "3")
        assert plain.get("app:k") == "1"
    juju.remove_relation(OPERATOR, "asker")
    juju.settle()
    ask(juju, "other", "app:*", own_database=True)
    with login(juju, "other") as other:
        assert other.dbsize() == 0, "nobody finds what another left"
    juju.integrate(OPERATOR, "asker")
    juju.settle()
    with login(juju, "asker") as asker:
        assert asker.get("app:left") == "3", "who comes back finds its data"
    assert failed_hooks(juju) == []


def test_overlapping_prefixes_are_reported_to_all_concerned(operator: localjuju.Juju) -> None:
    juju = operator
    ask(juju, "alone", "other:*")
    ask(juju, "one", "app:*")
    assert codes(juju, "one") == []
    ask(juju, "two", "app:b:*")
    one, two = (juju.relation_id(name, "valkey") for name in ("one", "two"))
    assert [codes(juju, name) for name in ("alone", "one", "two")] == [[], [1001], [1001]]
    shares = clients(juju)
    assert [shares[n]["shares-with"] for n in ("alone", "one", "two")] == [[], [two], [one]]
    status = juju.status().apps[OPERATOR]
    text = f"clients share keys: one (relation {one}) app:*, two (relation {two}) app:b:*"
    assert text in status.app_status.message
    assert text in status.units[f"{OPERATOR}/0"].workload_status.message
    assert jubilant.all_active(juju.status(), "alone", "one", "two")

    juju.remove_relation(OPERATOR, "two")
    juju.settle()
    assert codes(juju, "one") == []
    assert "share" not in juju.status().apps[OPERATOR].app_status.message


def test_strict_isolation_refuses_overlapping_prefixes(operator: localjuju.Juju) -> None:
    juju = operator
    juju.config(OPERATOR, {"isolation": "strict"})
    ask(juju, "one", "app:*")
    ask(juju, "two", "app:b:*")
    ask(juju, "everything", "*")
    assert [codes(juju, name) for name in ("one", "two", "everything")] == [[], [5005], [5005]]
    assert jubilant.all_blocked(juju.status(), "two", "everything")
    assert "isolation=shared" in juju.status().apps["two"].units["two/0"].workload_status.message
    assert "isolation=strict refuses" in juju.status().apps[OPERATOR].app_status.message
    assert clients(juju).keys() == {"one"}

    juju.remove_relation(OPERATOR, "one")
    juju.settle()
    assert clients(juju).keys() == {"two"}, "what stood in its way is gone"
    juju.config(OPERATOR, {"isolation": "shared"})
    juju.settle()
    assert clients(juju).keys() == {"two", "everything"}
    assert failed_hooks(juju) == []


def test_invalid_isolation_option_blocks_with_a_reason(operator: localjuju.Juju) -> None:
    juju = operator
    juju.config(OPERATOR, {"isolation": "none"})
    juju.settle()
    message = juju.status().apps[OPERATOR].units[f"{OPERATOR}/0"].workload_status.message
    assert message == "isolation must be shared or strict, not none"


def test_resource_limits_follow_the_configuration(operator: localjuju.Juju) -> None:
    juju = operator
    juju.settle()
    secret = next(s for s in juju.secrets() if s.label == "valkey-peers.internal")
    password = juju.show_secret(secret.uri, reveal=True).content["admin-password"]
    with valkey.Valkey(
        juju.address(f"{OPERATOR}/0"),
        username="charm-admin",
        password=password,
        decode_responses=True,
    ) as server:
        assert server.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert server.config_get("busy-reply-threshold") == {"busy-reply-threshold": "1000"}
        assert int(server.config_get("maxmemory")["maxmemory"]) > 2**28
        juju.config(OPERATOR, {"maxmemory": 64})
        juju.settle()
        assert server.config_get("maxmemory") == {"maxmemory": str(64 * 2**20)}
