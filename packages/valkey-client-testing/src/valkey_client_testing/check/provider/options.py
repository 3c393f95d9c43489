"""Checks of the options that a v1 request may have.

These fields are additions of the interface's README. A provider may ignore them; a response that
grants one must be true.
"""

from __future__ import annotations

import time
from typing import Any, cast

import valkey.exceptions

from ..databags import json_objects, parse_json
from ..harness import Account, ProviderHarness
from ..harness.connections import log_in, permission_error
from ..harness.requested_options import DATABASE_PREFIX, INVALID_PREFIX, OPTIONS_PREFIX, REQUESTED
from ..results import Check, Violation, check, require, verify

_IGNORED = 1002
"""The code of a status that says that a field of a request is ignored."""

_EVENT_SECONDS = 10.0
_DATABASE_COMMANDS = (("SCAN", "0"), ("KEYS", "*"), ("DBSIZE",), ("RANDOMKEY",), ("FLUSHDB",))


def _response(harness: ProviderHarness, prefix: str) -> dict[str, Any]:
    listed = harness.options_requirer.response_databag.responses
    responses = [r for r in listed if r.get("resource") == prefix]
    require(responses, f"the request for {prefix} was not granted")
    return responses[0]


def _ignored_messages(harness: ProviderHarness) -> list[str]:
    """The messages of the statuses about ignored fields."""
    text = harness.options_requirer.response_databag.fields.get("status", "")
    value: Any = parse_json(text) if text else []
    require(isinstance(value, list), "status cannot be read")
    return [str(s.get("message")) for s in json_objects(value) if s.get("code") == _IGNORED]


def _account_with(harness: ProviderHarness, prefix: str, option: str) -> Account:
    """The account, if the response says that an option is granted."""
    value = _response(harness, prefix).get(option)
    reason = "; ".join(_ignored_messages(harness)) or "no reason"
    require(value, f"the provider did not grant it: {reason}")
    return harness.options_requirer.account(prefix)


@check(
    "options-answered",
    "addition",
    "Each requested option is repeated in the response, or refused with status 1002.",
)
def options_answered(harness: ProviderHarness) -> str:
    """An application must know what it can use."""
    prefixes = (OPTIONS_PREFIX, DATABASE_PREFIX)
    options = [(p, name, value) for p in prefixes for name, value in REQUESTED[p].items()]
    responses = {prefix: _response(harness, prefix) for prefix in prefixes}
    granted = [name for p, name, value in options if responses[p].get(name) == value]
    messages = _ignored_messages(harness)
    require(granted or messages, "the provider neither grants nor refuses any option")
    for prefix, name, value in options:
        actual = responses[prefix].get(name)
        verify(
            name in granted or any(name in message for message in messages),
            f"{name} is {actual!r} in place of {value!r}, and no status 1002 names it",
        )
    return f"granted: {', '.join(granted) or 'none'}; the others are refused with status 1002"


@check(
    "channel-patterns",
    "addition",
    "With channel-patterns, the account can subscribe to exactly these patterns.",
)
def channel_patterns(harness: ProviderHarness) -> str:
    """Servers compare patterns literally with those of the account."""
    account = _account_with(harness, OPTIONS_PREFIX, "channel-patterns")
    patterns = cast("list[str]", REQUESTED[OPTIONS_PREFIX]["channel-patterns"])
    (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
    with log_in(account, primary) as client:
        error = permission_error(client, "PSUBSCRIBE", *patterns)
        verify(not error, f"PSUBSCRIBE {' '.join(patterns)}: {error}")
    return f"subscribed to {', '.join(patterns)}"


@check(
    "keyspace-events",
    "addition",
    "With keyspace-events, the account receives the events of its keys.",
)
def keyspace_events(harness: ProviderHarness) -> str:
    """It takes both the permission and a server that publishes them."""
    account = _account_with(harness, OPTIONS_PREFIX, "keyspace-events")
    key = account.in_prefix("seen")
    channel = f"__keyspace@{_database(_response(harness, OPTIONS_PREFIX))}__:{key}"
    (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
    with log_in(account, primary) as client, client.pubsub() as listener:
        try:
            listener.subscribe(channel)
            listener.get_message(timeout=_EVENT_SECONDS)
        except valkey.exceptions.NoPermissionError as error:
            raise Violation(f"SUBSCRIBE {channel}: {error}") from None
        error = permission_error(client, "INCR", key)
        require(not error, f"INCR {key}: {error}")
        deadline = time.monotonic() + _EVENT_SECONDS
        while time.monotonic() < deadline:
            message = listener.get_message(timeout=0.1)
            if message and message["type"] == "message":
                return f"received {message['data']} in {channel}"
    raise Violation(f"INCR {key} caused no message in {channel} within {_EVENT_SECONDS:.0f} s")


@check("scan", "addition", "With scan, the account can run SCAN.")
def scan(harness: ProviderHarness) -> str:
    """It shows the names of all keys, so a provider may refuse it."""
    account = _account_with(harness, OPTIONS_PREFIX, "scan")
    (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
    with log_in(account, primary, _database(_response(harness, OPTIONS_PREFIX))) as client:
        error = permission_error(client, "SCAN", "0")
        verify(not error, f"SCAN: {error}")
    return "SCAN is allowed"


@check(
    "own-database",
    "addition",
    "With own-database, the account can list and empty the database in the response, which has no"
    " other keys, and can use no other database.",
)
def own_database(harness: ProviderHarness) -> str:
    """Otherwise these commands show and destroy the data of others."""
    account = _account_with(harness, DATABASE_PREFIX, "own-database")
    database = _database(_response(harness, DATABASE_PREFIX))
    verify(database > 0, "the response names no database, which means 0, the shared one")
    (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
    other = harness.v1_requirer.account()
    with log_in(other, primary) as client:
        permission_error(client, "INCR", other.in_prefix("seen"))
    with log_in(account, primary, database) as client:
        error = permission_error(client, "SELECT", "0")
        verify(error, f"{account.username} can switch from database {database} to 0")
    with log_in(account, primary, database) as client:
        permission_error(client, "INCR", account.in_prefix("seen"))
        for command in _DATABASE_COMMANDS:
            error = permission_error(client, *command)
            verify(not error, f"{' '.join(command)} in database {database}: {error}")
    return f"database {database} is its own"


@check(
    "invalid-options",
    "contract",
    "A channel pattern outside the prefix, or a malformed option, gives no further permission.",
)
def invalid_options(harness: ProviderHarness) -> str:
    """Section *Requirer*: the prefix is the range of channels."""
    response = _response(harness, INVALID_PREFIX)
    account = harness.options_requirer.account(INVALID_PREFIX)
    for name, value in REQUESTED[INVALID_PREFIX].items():
        actual = response.get(name)
        verify(not actual, f"{name} was requested as {value!r} and granted as {actual!r}")
    (primary, *_) = harness.local_endpoints(account.primary, "endpoints")
    for command in (("PSUBSCRIBE", "foreign:*"), ("SCAN", "0")):
        with log_in(account, primary) as client:
            error = permission_error(client, *command)
        with log_in(account, primary) as client:
            # An account that may use every channel is what outside-channels reports.
            every_channel = command[0] == "PSUBSCRIBE" and not permission_error(
                client, "PSUBSCRIBE", "*"
            )
        verify(error or every_channel, f"{account.username} may run {' '.join(command)}")
    return "neither the pattern nor SCAN was granted"


def _database(response: dict[str, Any]) -> int:
    number = response.get("database")
    require(number is None or isinstance(number, int), f"database is {number!r}")
    return number or 0


CHECKS: tuple[Check[ProviderHarness], ...] = (
    *(options_answered, channel_patterns, keyspace_events, scan, own_database, invalid_options),
)
"""All checks of this module, in the order of a report."""
