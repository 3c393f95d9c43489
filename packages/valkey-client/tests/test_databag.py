from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valkey_client import Endpoint, RelationStatus, Topology
from valkey_client.databag import Responses, read_requests, read_responses, write_responses
from valkey_client.messages import Response, account_name, request_id, request_key

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = ["version", "requests", "data", "status", "database", "resource", "prefix", "endpoints",
        "secret-user", "secret-tls", "requested-secrets", "sentinel_endpoints", "salt"]  # fmt: skip
entries = st.fixed_dictionaries(
    {},
    optional={
        "resource": anything, "request-id": anything, "salt": anything, "endpoints": anything,
        "secret-user": anything, "version": anything, "mode": anything, "database": anything,
    },
)  # fmt: skip
values = st.text(max_size=30) | anything.map(json.dumps) | st.lists(entries).map(json.dumps)
bags = st.dictionaries(st.sampled_from(KEYS), values, max_size=6).map(
    lambda bag: {**bag, "version": "v1"} if len(bag) % 2 else bag
)


@settings(max_examples=400)
@given(bags)
def test_reading_never_raises_and_what_was_read_is_clean(bag: dict[str, str]) -> None:
    for request in read_requests(bag, 7).requests:
        assert request.prefix.is_everything or request.prefix.literal[0].isalnum()
        assert request.username.isascii() and " " not in request.username
        assert len(request.username) < 100
    for status in read_requests(bag).problems:
        assert status.message.isascii() and len(status.message) < 700
    for response in read_responses(bag).responses:
        assert response.secret_user == "" or response.secret_user.startswith("secret:")


@settings(max_examples=200)
@given(bags)
def test_writing_what_was_read_changes_nothing_the_second_time(bag: dict[str, str]) -> None:
    responses = read_responses(bag)
    changes = write_responses(responses.wire, responses, bag)
    once = {key: value for key, value in {**bag, **changes}.items() if value}
    assert write_responses(responses.wire, read_responses(once), once) == {}


def response(number: int = 1, **options: Any) -> Response:
    topology = Topology((Endpoint("h", 1),), version="9.0.1")
    uri = f"secret:u{number}"
    return Response("a:*", str(number), "s", topology, uri, "secret:t", **options)


def test_unknown_keys_survive() -> None:
    bag = write_responses("v1", Responses("v1", (response(),)), {})
    items = json.loads(bag["requests"])
    items[0]["colour"] = "green"
    bag |= {"requests": json.dumps(items), "extra": "kept"}
    changes = write_responses("v1", read_responses(bag), bag)
    assert "extra" not in changes
    assert json.loads({**bag, **changes}["requests"])[0]["colour"] == "green"


def test_data_has_an_entry_for_every_response() -> None:
    responses = Responses("v1", (response(1), response(2)))
    bag = write_responses("v1", responses, {})
    assert json.loads(bag["data"]).keys() == {"1", "2", "status"}


def test_a_refused_request_is_noted_but_not_answered() -> None:
    status = RelationStatus(5002, "no", "do")
    refused = Response("a:*", "1", "s", statuses=(status,))
    bag = write_responses("v1", Responses("v1", (refused,), (status,)), {})
    assert json.loads(bag["requests"]) == []
    assert read_responses(bag).responses[0].statuses == (status,)


def test_the_difference_of_statuses_is_what_requirers_in_the_field_look_at() -> None:
    one, two = RelationStatus(1001, "a", ""), RelationStatus(4001, "b", "")
    bag = write_responses("v1", Responses("v1", (response(),), (one,)), {})
    assert json.loads(bag["data"])["status"] == {}
    bag |= write_responses("v1", Responses("v1", (response(),), (one, two)), bag)
    assert set(json.loads(bag["data"])["status"]) == {"1001"}
    assert [s["code"] for s in json.loads(bag["status"])] == [1001, 4001]


def test_from_v0_to_v1_no_flat_key_stays() -> None:
    flat = Response("a:*", "", "s", Topology((Endpoint("h", 1),)), "secret:u", alias="topic")
    bag = write_responses("v0", Responses("v0", (flat,)), {})
    assert bag["topic"] == "a:*"
    changes = write_responses("v1", Responses("v1", (response(),)), {**bag, "mine": "x"})
    left = {k: v for k, v in {**bag, "mine": "x", **changes}.items() if v}
    assert left.keys() == {"version", "requests", "data", "mine"}


@pytest.mark.parametrize(
    "alias", ["database", "subject", "topic", "index", "plugin-url", "prefix"]
)
def test_every_v0_alias(alias: str) -> None:
    (request,) = read_requests({alias: "a:*"}, 3).requests
    assert (request.alias, request.wire, request.username) == (alias, "v0", "relation-3")


def test_the_first_alias_counts() -> None:
    (request,) = read_requests({"prefix": "p:*", "topic": "t:*"}).requests
    assert str(request.prefix) == "t:*"


@pytest.mark.parametrize("spelling", ["sentinel_endpoints", "sentinel-endpoints"])
def test_either_spelling_of_sentinel_endpoints_is_read(spelling: str) -> None:
    (found,) = read_responses({"resource": "a", spelling: "h:26379"}).responses
    assert found.topology.sentinel_endpoints == (Endpoint("h", 26379),)


def test_names_and_ids() -> None:
    assert request_id("application:*", "xqbPuYzzl2iiKeyN") == "c4c5c119c9345ffa"
    assert account_name(1, "abc") == "relation-1-abc"
    assert account_name(10, "") == "relation-10"
    odd = request_key("a b\n")
    assert odd.isalnum() and len(odd) == 32
    assert request_key("a" * 64) == "a" * 64
    assert request_key("a" * 65) != "a" * 65


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("h:1", Endpoint("h", 1)),
        ("[::1]:6379", Endpoint("::1", 6379)),
        ("[fe80::1%eth0]:6379", Endpoint("fe80::1%eth0", 6379)),
        ("[::ffff:10.0.0.1]:6379", Endpoint("::ffff:10.0.0.1", 6379)),
        ("::1:6379", None),
        ("fd00::1", None),
        ("x:1:2", None),
        ("[::1:2:3:4:5:6:7:8]:1", None),
        ("[10.0.0.1]:1", None),
        ("[fe80::1%]:6379", None),
        ("[fe80::1%a b]:6379", None),
        ("h", None),
        ("h:", None),
        (":1", None),
        ("h:0", None),
        ("h:65536", None),
        ("h:٣", None),
        ("h:" + "9" * 5001, None),
        ("h\nADMIN=1:6379", None),
        ("h b:1", None),
    ],
)
def test_endpoints(text: str, endpoint: Endpoint | None) -> None:
    assert Endpoint.parse(text) == endpoint
    if endpoint:
        assert Endpoint.parse(str(endpoint)) == endpoint


@given(
    st.ip_addresses(v=6),
    st.sampled_from(["", "%eth0", "%1", "%br-0a_b.c~"]),
    st.integers(1, 65535),
)
def test_an_ipv6_endpoint_is_read_as_it_is_written(address: Any, zone: str, port: int) -> None:
    endpoint = Endpoint(f"{address}{zone}", port)
    assert Endpoint.parse(str(endpoint)) == endpoint
    assert Endpoint.parse(f"{endpoint.host}:{port}") is None, "nobody knows where it ends"
