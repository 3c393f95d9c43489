"""Checks of what a v1 requirer may ask for beyond its prefix.

These fields are additions of the interface's page. A provider that knows none of them passes them
over; one that says that it gave something must have given it.
"""

from __future__ import annotations

import time
from typing import Any, cast

import valkey.exceptions

from .databags import objects, parse
from .extras import ASKED, BEYOND, OWN, WIDE
from .provider_bench import Account, ProviderBench
from .results import Check, Violation, check, demand, need
from .servers import on_primary, refusal

_IGNORED = 1002
_EVENT_SECONDS = 10.0
_OWN_COMMANDS = (("SCAN", "0"), ("KEYS", "*"), ("DBSIZE",), ("RANDOMKEY",), ("FLUSHDB",))


def _response(bench: ProviderBench, prefix: str) -> dict[str, Any]:
    found = [r for r in bench.wide.answer.responses if r.get("resource") == prefix]
    need(found, f"the request for {prefix} was not granted")
    return found[0]


def _ignored(bench: ProviderBench) -> list[str]:
    """What the statuses with the code of an ignored field say."""
    text = bench.wide.answer.bag.get("status", "")
    value: Any = parse(text) if text else []
    need(isinstance(value, list), "status cannot be read")
    return [str(s.get("message")) for s in objects(value) if s.get("code") == _IGNORED]


def _given(bench: ProviderBench, prefix: str, name: str) -> Account:
    """The account, if the response says that an option was given."""
    given = _response(bench, prefix).get(name)
    need(given, f"the provider did not give it: {'; '.join(_ignored(bench)) or 'no reason'}")
    return bench.wide.account(prefix)


@check(
    "options-answered",
    "addition",
    "What is asked for beyond the prefix is repeated in the response, or refused with status"
    " 1002.",
)
def options_answered(bench: ProviderBench) -> str:
    """Only so does an application know what it may use."""
    wanted = [(p, name, value) for p in (WIDE, OWN) for name, value in ASKED[p].items()]
    responses = {prefix: _response(bench, prefix) for prefix in (WIDE, OWN)}
    given = [name for p, name, value in wanted if responses[p].get(name) == value]
    refused = _ignored(bench)
    need(given or refused, "the provider gives none of them and says so of none")
    for prefix, name, value in wanted:
        found = responses[prefix].get(name)
        known = name in given or any(name in message for message in refused)
        demand(
            known, f"{name} was {value!r}, is answered as {found!r}, and no status 1002 says so"
        )
    return f"given: {', '.join(given) or 'none'}; the rest is refused with status 1002"


@check(
    "channel-patterns",
    "addition",
    "With channel-patterns the account may subscribe to those very patterns.",
)
def channel_patterns(bench: ProviderBench) -> str:
    """Servers compare them letter by letter with the account's own."""
    account = _given(bench, WIDE, "channel-patterns")
    patterns = cast("list[str]", ASKED[WIDE]["channel-patterns"])
    (primary, *_) = bench.served(account.primary, "endpoints")
    with on_primary(account, primary) as client:
        said = refusal(client, "PSUBSCRIBE", *patterns)
        demand(not said, f"PSUBSCRIBE {' '.join(patterns)}: {said}")
    return f"subscribed to {', '.join(patterns)}"


@check(
    "keyspace-events",
    "addition",
    "With keyspace-events the account is told of changes to its keys.",
)
def keyspace_events(bench: ProviderBench) -> str:
    """It takes both a right to the channel and a server that sends."""
    account = _given(bench, WIDE, "keyspace-events")
    key = account.name("seen")
    channel = f"__keyspace@{_database(_response(bench, WIDE))}__:{key}"
    (primary, *_) = bench.served(account.primary, "endpoints")
    with on_primary(account, primary) as client, client.pubsub() as listener:
        try:
            listener.subscribe(channel)
            listener.get_message(timeout=_EVENT_SECONDS)
        except valkey.exceptions.NoPermissionError as error:
            raise Violation(f"SUBSCRIBE {channel}: {error}") from None
        said = refusal(client, "INCR", key)
        need(not said, f"INCR {key}: {said}")
        deadline = time.monotonic() + _EVENT_SECONDS
        while time.monotonic() < deadline:
            message = listener.get_message(timeout=0.1)
            if message and message["type"] == "message":
                return f"{channel} said {message['data']}"
    raise Violation(f"INCR {key} made no message in {channel} in {_EVENT_SECONDS:.0f} s")


@check("scan", "addition", "With scan the account may SCAN.")
def scan(bench: ProviderBench) -> str:
    """It shows the names of everybody's keys, so a provider may well refuse it."""
    account = _given(bench, WIDE, "scan")
    (primary, *_) = bench.served(account.primary, "endpoints")
    with on_primary(account, primary, _database(_response(bench, WIDE))) as client:
        said = refusal(client, "SCAN", "0")
        demand(not said, f"SCAN: {said}")
    return "SCAN is allowed"


@check(
    "own-database",
    "addition",
    "With own-database the account may list and empty the database that the response names, which"
    " holds nobody else's keys, and use no other.",
)
def own_database(bench: ProviderBench) -> str:
    """Otherwise these commands show and destroy what belongs to others."""
    account = _given(bench, OWN, "own-database")
    database = _database(_response(bench, OWN))
    demand(database > 0, "the response names no database, which means 0, everybody's")
    (primary, *_) = bench.served(account.primary, "endpoints")
    neighbour = bench.v1.account()
    with on_primary(neighbour, primary) as client:
        refusal(client, "INCR", neighbour.name("seen"))
    with on_primary(account, primary, database) as client:
        said = refusal(client, "SELECT", "0")
        demand(said, f"{account.username} may leave database {database} for 0")
    with on_primary(account, primary, database) as client:
        refusal(client, "INCR", account.name("seen"))
        for command in _OWN_COMMANDS:
            said = refusal(client, *command)
            demand(not said, f"{' '.join(command)} in database {database}: {said}")
    return f"database {database} is its own"


@check(
    "options-beyond",
    "contract",
    "A channel pattern outside of the prefix, or an option that is malformed, widens no account.",
)
def options_beyond(bench: ProviderBench) -> str:
    """Section *Requirer*: the prefix is the range of channels, whatever else is asked for."""
    response, account = _response(bench, BEYOND), bench.wide.account(BEYOND)
    for name, value in ASKED[BEYOND].items():
        found = response.get(name)
        demand(not found, f"{name} was {value!r} and is answered as {found!r}")
    (primary, *_) = bench.served(account.primary, "endpoints")
    for command in (("PSUBSCRIBE", "foreign:*"), ("SCAN", "0")):
        with on_primary(account, primary) as client:
            said = refusal(client, *command)
        with on_primary(account, primary) as client:
            # An account that may use every channel is what outside-channels reports.
            everything = command[0] == "PSUBSCRIBE" and not refusal(client, "PSUBSCRIBE", "*")
        demand(said or everything, f"{account.username} may {' '.join(command)}")
    return "neither the pattern nor SCAN was given"


def _database(response: dict[str, Any]) -> int:
    found = response.get("database")
    need(found is None or isinstance(found, int), f"database is {found!r}")
    return found or 0


CHECKS: tuple[Check[ProviderBench], ...] = (
    *(options_answered, channel_patterns, keyspace_events, scan, own_database, options_beyond),
)
"""All of them, in the order of a report."""
