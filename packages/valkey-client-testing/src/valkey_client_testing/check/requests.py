"""Checks of a requirer's databag."""

from __future__ import annotations

import re
from typing import Any, cast

from valkey_client import KeyPrefix, PrefixError
from valkey_client.options import FIELDS, check_pattern

from .databags import ALIASES, Asked, objects, parse
from .results import Check, NotApplicable, Violation, check, demand, need

_SECRET_KEY = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?\Z")
_SALT = re.compile(r"[A-Za-z0-9]{16}\Z")


def _requests(asked: Asked) -> list[dict[str, Any]]:
    need(asked.requests, "there is no request that can be read")
    return asked.requests


@check(
    "asks",
    "wire",
    "A requirer asks with version: v1 and a JSON list of objects in requests, or, in v0, with the"
    " prefix in one of the known fields.",
)
def asks(asked: Asked) -> str:
    """The requirer chooses the format."""
    if asked.wire == "v0":
        demand(asked.requests, f"none of {', '.join(ALIASES)} is there, nor version: v1")
        return "v0"
    text = asked.bag.get("requests", "")
    value = parse(text)
    demand(isinstance(value, list), f"requests is {text[:80]!r}")
    listed = cast("list[Any]", value)
    need(listed, "nothing is asked for")
    demand(len(objects(listed)) == len(listed), f"requests is {text[:80]!r}")
    return f"v1, {len(listed)} request(s)"


@check("prefix", "contract", "The prefix names a range of keys: literal characters and one star.")
def prefix(asked: Asked) -> str:
    """Section *Requirer*. What else a server's pattern may hold would widen the range."""
    found: list[str] = []
    for request in _requests(asked):
        try:
            found.append(str(KeyPrefix.parse(request.get("resource"))))
        except PrefixError as error:
            raise Violation(str(error)) from None
    return ", ".join(found)


@check("request-id", "wire", "In v1, every request has a request-id of its own.")
def request_id(asked: Asked) -> str:
    """Any unique string that is not empty will do."""
    need(asked.wire == "v1", "the relation is v0")
    ids = [request.get("request-id") for request in _requests(asked)]
    for found in ids:
        demand(isinstance(found, str) and found, f"a request-id is {found!r}")
    demand(len(set(ids)) == len(ids), f"the ids are {', '.join(map(str, ids))}")
    return f"{len(ids)} id(s)"


@check("salt", "wire", "In v1, the salt of a request is 16 letters or digits.")
def salt(asked: Asked) -> str:
    """A provider of the field echoes it, and cannot without."""
    need(asked.wire == "v1", "the relation is v0")
    for request in _requests(asked):
        found = request.get("salt")
        demand(isinstance(found, str) and _SALT.match(found), f"salt is {found!r}")
    return "there is one"


@check(
    "requested-secrets",
    "contract",
    "requested-secrets, if given, is a JSON list of keys that a Juju secret can have.",
)
def requested_secrets(asked: Asked) -> str:
    """Section *Requirer*; without it username, password, tls and tls-ca are meant."""
    text = asked.bag.get("requested-secrets")
    need(text is not None, "not given; username, password, tls and tls-ca are meant")
    value = parse(text or "")
    demand(isinstance(value, list), f"it is {text!r}")
    for name in cast("list[Any]", value):
        demand(isinstance(name, str) and _SECRET_KEY.match(name), f"{name!r} is no secret's key")
    return text or ""


@check(
    "request-options",
    "addition",
    "What is asked for beyond the prefix has its type, and each channel pattern begins with the"
    " prefix.",
)
def request_options(asked: Asked) -> str:
    """A provider passes over what has not, so the application would never get it."""
    found: list[str] = []
    for request in _requests(asked):
        options = {name: request[name] for name in FIELDS if request.get(name) is not None}
        for name, value in sorted(options.items()):
            if name == "channel-patterns":
                _patterns(request, value)
            else:
                demand(isinstance(value, bool), f"{name} is {value!r}, neither true nor false")
            found.append(f"{name} is {value!r}")
    need(found, "nothing is asked for beyond the prefix")
    return ", ".join(found)


def _patterns(request: dict[str, Any], value: Any) -> None:
    demand(isinstance(value, list), f"channel-patterns is {value!r}, which is no list")
    try:
        prefix = KeyPrefix.parse(request.get("resource"))
    except PrefixError as error:
        raise NotApplicable(f"the prefix cannot be understood: {error}") from None
    for pattern in cast("list[Any]", value):
        try:
            check_pattern(prefix, pattern)
        except PrefixError as error:
            raise Violation(str(error)) from None


CHECKS: tuple[Check[Asked], ...] = (
    *(asks, prefix, request_id, salt, requested_secrets, request_options),
)
"""All of them, in the order of a report."""
