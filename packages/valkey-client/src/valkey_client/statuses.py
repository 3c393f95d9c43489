"""The statuses that this library publishes; a provider adds its own from the same ranges.

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
    """The databag, or one request in it, is malformed."""
    return RelationStatus(
        MALFORMED, what, "Correct the request; until then, what was granted stays as it is."
    )


def too_many(count: int, limit: int) -> RelationStatus:
    """A relation holds more requests than are served."""
    return RelationStatus(
        TOO_MANY,
        f"{count} requests in one relation; only the first {limit} are served",
        "Ask for fewer prefixes, or use several relations.",
    )


def refused_prefix(reason: str) -> RelationStatus:
    """The prefix breaks the grammar."""
    return RelationStatus(REFUSED_PREFIX, reason, "Ask for another prefix.")


def duplicate_id(request_id: str) -> RelationStatus:
    """Two requests of a relation carry the same id."""
    return RelationStatus(
        DUPLICATE_ID,
        f"request-id {quote(request_id)} has more than one prefix; only the first is served",
        "Give every request its own request-id.",
    )


def unknown_version(version: str) -> RelationStatus:
    """The databag names a format that is neither v0 nor v1, and has no v0 field either."""
    return RelationStatus(
        UNKNOWN_VERSION,
        f"relation version {quote(version)} is not supported",
        "Use version v1, or omit the field for v0.",
    )


def ignored_field(name: str, reason: str) -> RelationStatus:
    """The request is served without one of its fields."""
    return RelationStatus(IGNORED_FIELD, f"{name} is ignored: {reason}", f"Correct {name}.")


def shared(prefix: str) -> RelationStatus:
    """Some keys or channels are granted to another relation too; the contract allows it."""
    return RelationStatus(
        SHARED,
        f"keys or channels of {quote(prefix)} are also granted to another relation",
        "No action if this is intended; otherwise ask for another prefix.",
    )


def not_isolated(reason: str) -> RelationStatus:
    """The provider's operator does not allow two relations to share keys or channels."""
    return RelationStatus(
        NOT_ISOLATED, reason, "Ask for another prefix, or set isolation=shared on the provider."
    )


def not_ready(what: str) -> RelationStatus:
    """The provider will serve the request later; nobody needs to act."""
    return RelationStatus(NOT_READY, what, "Wait; no action is needed.")


def merge(statuses: list[RelationStatus]) -> list[RelationStatus]:
    """One status for each code, in their order: requirers in the field index them by code."""
    merged: dict[int, RelationStatus] = {}
    for status in statuses:
        earlier = merged.get(status.code)
        if earlier is None:
            merged[status.code] = status
        elif status.message not in earlier.message and len(earlier.message) < 500:
            message = f"{earlier.message}; {status.message}"
            merged[status.code] = RelationStatus(status.code, message, earlier.resolution)
    return [merged[code] for code in sorted(merged)]
