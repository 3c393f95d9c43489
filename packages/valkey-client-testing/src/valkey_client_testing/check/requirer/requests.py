"""Checks of a requirer's databag."""

from __future__ import annotations

import re
from typing import Any, cast

from valkey_client import KeyPrefix, PrefixError
from valkey_client.options import FIELDS, check_pattern

from ..databags import ALIASES, RequestDatabag, json_objects, parse_json
from ..results import Check, NotApplicable, Violation, check, require, verify

_SECRET_KEY = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?\Z")
_SALT = re.compile(r"[A-Za-z0-9]{16}\Z")


def _requests(databag: RequestDatabag) -> list[dict[str, Any]]:
    require(databag.requests, "there is no valid request")
    return databag.requests


@check(
    "request-format",
    "wire",
    "The databag has version: v1 and a JSON list of objects in requests, or, in v0, the prefix in"
    " one of the known fields.",
)
def request_format(databag: RequestDatabag) -> str:
    """The requirer chooses the format."""
    if databag.wire == "v0":
        verify(databag.requests, f"it has none of {', '.join(ALIASES)}, nor version: v1")
        return "v0"
    text = databag.fields.get("requests", "")
    value = parse_json(text)
    verify(isinstance(value, list), f"requests is {text[:80]!r}")
    requests = cast("list[Any]", value)
    require(requests, "there is no request")
    verify(len(json_objects(requests)) == len(requests), f"requests is {text[:80]!r}")
    return f"v1, {len(requests)} request(s)"


@check("prefix", "contract", "The prefix is literal characters and one star at the end.")
def prefix(databag: RequestDatabag) -> str:
    """Section *Requirer*. Other special characters of a server's pattern would widen the range."""
    prefixes: list[str] = []
    for request in _requests(databag):
        try:
            prefixes.append(str(KeyPrefix.parse(request.get("resource"))))
        except PrefixError as error:
            raise Violation(str(error)) from None
    return ", ".join(prefixes)


@check("request-id", "wire", "In v1, every request has a unique request-id.")
def request_id(databag: RequestDatabag) -> str:
    """Any unique string that is not empty is valid."""
    require(databag.wire == "v1", "the relation is v0")
    ids = [request.get("request-id") for request in _requests(databag)]
    for value in ids:
        verify(isinstance(value, str) and value, f"a request-id is {value!r}")
    verify(len(set(ids)) == len(ids), f"the ids are {', '.join(map(str, ids))}")
    return f"{len(ids)} id(s)"


@check("salt", "wire", "In v1, the salt of a request is 16 letters or digits.")
def salt(databag: RequestDatabag) -> str:
    """An existing provider repeats it, and fails without."""
    require(databag.wire == "v1", "the relation is v0")
    for request in _requests(databag):
        value = request.get("salt")
        verify(isinstance(value, str) and _SALT.match(value), f"salt is {value!r}")
    return "there is one"


@check(
    "requested-secrets",
    "contract",
    "requested-secrets, if it is there, is a JSON list of valid keys of a Juju secret.",
)
def requested_secrets(databag: RequestDatabag) -> str:
    """Section *Requirer*; the default is username, password, tls and tls-ca."""
    text = databag.fields.get("requested-secrets")
    require(text is not None, "not there; the default is username, password, tls and tls-ca")
    value = parse_json(text or "")
    verify(isinstance(value, list), f"it is {text!r}")
    for key in cast("list[Any]", value):
        valid = isinstance(key, str) and _SECRET_KEY.match(key)
        verify(valid, f"{key!r} is not a valid key of a secret")
    return text or ""


@check(
    "request-options",
    "addition",
    "Each option has its type, and each channel pattern begins with the prefix.",
)
def request_options(databag: RequestDatabag) -> str:
    """A provider ignores an invalid option, so the application would never get it."""
    seen: list[str] = []
    for request in _requests(databag):
        options = {name: request[name] for name in FIELDS if request.get(name) is not None}
        for name, value in sorted(options.items()):
            if name == "channel-patterns":
                _verify_patterns(request, value)
            else:
                verify(isinstance(value, bool), f"{name} is {value!r}, neither true nor false")
            seen.append(f"{name} is {value!r}")
    require(seen, "the request has no options")
    return ", ".join(seen)


def _verify_patterns(request: dict[str, Any], value: Any) -> None:
    verify(isinstance(value, list), f"channel-patterns is {value!r}, which is not a list")
    try:
        prefix = KeyPrefix.parse(request.get("resource"))
    except PrefixError as error:
        raise NotApplicable(f"the prefix is invalid: {error}") from None
    for pattern in cast("list[Any]", value):
        try:
            check_pattern(prefix, pattern)
        except PrefixError as error:
            raise Violation(str(error)) from None


CHECKS: tuple[Check[RequestDatabag], ...] = (
    *(request_format, prefix, request_id, salt, requested_secrets, request_options),
)
"""All checks of this module, in the order of a report."""
