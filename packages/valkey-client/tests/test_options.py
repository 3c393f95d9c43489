from __future__ import annotations

import fnmatch
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valkey_client import KeyPrefix, PrefixError, RequestOptions
from valkey_client.databag import read_requests
from valkey_client.databag.v1 import write_requests
from valkey_client.options import MAX_PATTERNS, check_pattern
from valkey_client.statuses import IGNORED_FIELD

APP = KeyPrefix.parse("app:*")


def asked(**fields: Any) -> dict[str, str]:
    entry = {"resource": "app:*", "request-id": "1", "salt": "s", **fields}
    return {"version": "v1", "requests": json.dumps([entry])}


@pytest.mark.parametrize(
    "pattern", ["app:*", "app:room.*", "app:/0.celeryev/worker.*", "app:[ab]?"]
)
def test_a_pattern_inside_the_prefix(pattern: str) -> None:
    assert check_pattern(APP, pattern) == pattern


@pytest.mark.parametrize(
    "pattern",
    ["*", "a*", "app*", "app?*", "[a]pp:*", "other:*", "", "app: *", "app:\n", "app:\\*", "__sentinel__:hello",
     7, None, "app:" + "x" * 300],
)  # fmt: skip
def test_a_pattern_that_could_match_more_is_refused(pattern: object) -> None:
    with pytest.raises(PrefixError):
        check_pattern(APP, pattern)


def test_the_servers_own_channels_are_out_of_reach_for_the_whole_keyspace_too() -> None:
    everything = KeyPrefix.parse("*")
    assert check_pattern(everything, "app:*") == "app:*"
    for pattern in ("*", "_*", "[_]*", "?*", "__keyevent@*"):
        with pytest.raises(PrefixError):
            check_pattern(everything, pattern)


def test_a_prefix_that_is_one_name_has_no_patterns() -> None:
    with pytest.raises(PrefixError, match="one name"):
        check_pattern(KeyPrefix.parse("app"), "app:*")


@given(st.text("ap:*?[]x_", max_size=8), st.text("ap:x_", max_size=8))
def test_no_pattern_that_passes_matches_a_name_outside(pattern: str, name: str) -> None:
    try:
        check_pattern(APP, pattern)
    except PrefixError:
        return
    assert APP.covers(name) or not fnmatch.fnmatchcase(name, pattern)


def test_options_are_written_and_read() -> None:
    options = RequestOptions(("app:room.*",), keyspace_events=True, scan=True, own_database=True)
    (request,) = read_requests(asked(**options.fields)).requests
    assert request.options == options
    assert read_requests(write_requests([request])).requests == (request,)
    assert options.digest != RequestOptions().digest == ""


@pytest.mark.parametrize(
    "fields",
    [{"channel-patterns": "app:*"}, {"channel-patterns": [1]}, {"channel-patterns": ["other:*"]},
     {"channel-patterns": ["app:x"] * (MAX_PATTERNS + 1)}, {"scan": "true"}, {"own-database": 1},
     {"keyspace-events": []}],
)  # fmt: skip
def test_a_field_that_is_wrong_is_left_out_and_the_rest_is_served(fields: dict[str, Any]) -> None:
    found = read_requests(asked(**{"scan": True, **fields}))
    (request,) = found.requests
    assert [problem.code for problem in found.problems] == [IGNORED_FIELD]
    assert request.options.scan == ("scan" not in fields)
    assert not request.options.own_database


def test_null_is_as_good_as_nothing() -> None:
    found = read_requests(asked(scan=None, **{"channel-patterns": None, "own-database": None}))
    assert found.problems == ()
    assert found.requests[0].options == RequestOptions()
    assert found.requests[0].extra == {}


def test_each_pattern_goes_with_the_prefix_around_it() -> None:
    prefixes = [KeyPrefix.parse("a:*"), KeyPrefix.parse("a:b:*"), KeyPrefix.parse("c:*")]
    options = RequestOptions(("a:x*", "a:b:x*"), scan=True).for_each(prefixes)
    assert [o.channel_patterns for o in options.values()] == [("a:x*",), ("a:b:x*",), ()]
    assert all(o.scan for o in options.values())
    with pytest.raises(PrefixError, match="must begin with a:"):
        RequestOptions(("d:*",)).for_each(prefixes)
