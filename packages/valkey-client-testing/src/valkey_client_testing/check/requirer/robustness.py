"""Checks that no provider's databag fails a hook of a requirer."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..harness import RequirerHarness
from ..results import Check, Violation, check, require
from .restore import restore_access

MISSING_SECRET = "secret:9m4e2mr0ui3e8a215n4g"  # noqa: S105
"""The URI of a secret that does not exist."""


def _verify_no_hook_fails(
    harness: RequirerHarness, databags: Mapping[str, Mapping[str, str]]
) -> str:
    """Write one databag after the other; no hook may fail."""
    with restore_access(harness):
        for name, databag in databags.items():
            harness.write(databag, withheld="{withheld}" in str(databag))
            try:
                harness.settle()
            except Violation as violation:
                raise Violation(f"{name}: {violation}") from None
    return f"{len(databags)} databags: no hook failed"


@check("access-withdrawn", "wire", "No hook fails when the provider withdraws the access.")
def access_withdrawn(harness: RequirerHarness) -> str:
    """A provider withdraws it when it can no longer serve the request."""
    empty = {"version": "v1", "requests": "[]", "data": "{}"} if _is_v1(harness) else {}
    return _verify_no_hook_fails(harness, {"withdrawn": empty})


@check("request-refused", "wire", "No hook fails when there is a status in place of a response.")
def request_refused(harness: RequirerHarness) -> str:
    """5xxx means that a person must change something."""
    status = {"code": 5002, "message": "the prefix is refused", "resolution": "Ask for another."}
    databag = {"status": json.dumps([status]), "data": "{}"}
    if _is_v1(harness):
        databag |= {"version": "v1", "requests": "[]"}
    return _verify_no_hook_fails(harness, {"refused": databag})


@check("invalid-json", "wire", "No hook fails when requests is invalid JSON or of another type.")
def invalid_json(harness: RequirerHarness) -> str:
    """Remote data is not trusted."""
    require(_is_v1(harness), "a v0 requirer reads no JSON")
    texts = ("[{", '"x"', "7", "null", "[null]", "{}")
    databags = {
        f"requests is {text}": {"version": "v1", "requests": text, "data": "{}"} for text in texts
    }
    return _verify_no_hook_fails(harness, databags)


@check(
    "unreadable-secret", "wire", "No hook fails when a secret does not exist or is not granted."
)
def unreadable_secret(harness: RequirerHarness) -> str:
    """A provider may name a secret before it is granted, or after it is removed."""
    uris = {"does not exist": MISSING_SECRET, "not granted": "{withheld}"}
    databags = {
        name: harness.provider_databag(
            harness.responses(**{"secret-user": uri, "secret-tls": uri})
        )
        for name, uri in uris.items()
    }
    return _verify_no_hook_fails(harness, databags)


@check(
    "unrequested-response", "wire", "No hook fails when there is a response to an unknown request."
)
def unrequested_response(harness: RequirerHarness) -> str:
    """It may answer a request of an earlier revision of the charm."""
    require(_is_v1(harness), "a v0 relation has one request")
    (valid, *_) = harness.responses()
    unknown = valid | {"request-id": "0123456789abcdef", "resource": "foreign:*"}
    databag = harness.provider_databag([unknown, valid])
    return _verify_no_hook_fails(harness, {"an unknown request": databag})


@check("invalid-endpoints", "wire", "No hook fails when endpoints is empty or malformed.")
def invalid_endpoints(harness: RequirerHarness) -> str:
    """Nor may a hook fail when other fields are missing."""
    texts = ("", ",", "here", "a:b,:1")
    databags = {
        text: harness.provider_databag(harness.responses(endpoints=text)) for text in texts
    }
    return _verify_no_hook_fails(harness, databags)


def _is_v1(harness: RequirerHarness) -> bool:
    return harness.request_databag.wire == "v1"


CHECKS: tuple[Check[RequirerHarness], ...] = (
    *(access_withdrawn, request_refused, invalid_json, unreadable_secret),
    *(unrequested_response, invalid_endpoints),
)
"""All checks of this module, in the order of a report."""
