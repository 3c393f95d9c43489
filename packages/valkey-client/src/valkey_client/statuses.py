"""The statuses that this library gives; a provider adds its own from the same ranges.

1xxx informs, 4xxx is transient, 5xxx needs a person (``status`` in the provider's databag).
"""

from __future__ import annotations

from ._prefix import quote
from .messages import RelationStatus

SHARED = 1001
IGNORED_FIELD = 1002
NOT_READY = 4001
MALFORMED = 5001
REFUSED_PREFIX = 5002
DUPLICATE_ID = 5003
UNKNOWN_VERSION = 5004
NOT_ISOLATED = 5005
TOO_MANY = 5006


def malformed(what: str) -> RelationStatus:
    """The databag, or one request in it, cannot be understood."""
    return RelationStatus(
        MALFORMED, what, "Correct the request; what cannot be told apart from it stays granted."
    )


def too_many(count: int, limit: int) -> RelationStatus:
    """A relation holds more requests than are served."""
    return RelationStatus(
        TOO_MANY,
        f"{count} requests in one relation; the first {limit} are served",
        "Ask for fewer prefixes, or use several relations.",
    )


def refused_prefix(reason: str) -> RelationStatus:
    """The prefix breaks the grammar."""
    return RelationStatus(REFUSED_PREFIX, reason, "Ask for another prefix.")


def duplicate_id(request_id: str) -> RelationStatus:
    """Two requests of a relation carry the same id."""
    return RelationStatus(
        DUPLICATE_ID,
        f"request-id {quote(request_id)} stands for more than one prefix; the first one counts",
        "Give every request an id of its own.",
    )


def unknown_version(version: str) -> RelationStatus:
    """The databag names a format that is neither v0 nor v1, and has no v0 field either."""
    return RelationStatus(
        UNKNOWN_VERSION,
        f"version {quote(version)} of the relation is not known here",
        "Use version v1, or leave the field out for v0.",
    )


def ignored_field(name: str, reason: str) -> RelationStatus:
    """A field is served as if it had not been sent."""
    return RelationStatus(IGNORED_FIELD, f"{name} is ignored: {reason}", f"Correct {name}.")


def shared(prefix: str) -> RelationStatus:
    """Another relation was given some of the same names; the contract allows it."""
    return RelationStatus(
        SHARED,
        f"keys or channels of {quote(prefix)} are also given to another relation",
        "Nothing, if that is meant; else ask for another prefix.",
    )


def not_isolated(reason: str) -> RelationStatus:
    """The provider's operator wants no two relations to share a name."""
    return RelationStatus(
        NOT_ISOLATED, reason, "Ask for another prefix, or have the provider set isolation=shared."
    )


def not_ready(what: str) -> RelationStatus:
    """The provider will serve the request later without anybody's help."""
    return RelationStatus(NOT_READY, what, "Wait; no action is needed.")


def merge(statuses: list[RelationStatus]) -> list[RelationStatus]:
    """One status a code, in the order of codes: requirers in the field index them by code."""
    merged: dict[int, RelationStatus] = {}
    for status in statuses:
        known = merged.get(status.code)
        if known is None:
            merged[status.code] = status
        elif status.message not in known.message and len(known.message) < 500:
            message = f"{known.message}; {status.message}"
            merged[status.code] = RelationStatus(status.code, message, known.resolution)
    return [merged[code] for code in sorted(merged)]
