"""Text of a databag to messages and back, as pure functions.

Nothing here raises on remote data. A reader returns what is well formed and, as statuses for the
requirer, what is not.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..messages import Wire
from . import v0, v1
from ._common import Requests, Responses, as_secret_uri, read_access

__all__ = [
    "Requests",
    "Responses",
    "as_secret_uri",
    "read_access",
    "read_requests",
    "read_responses",
    "wire_of",
    "write_responses",
]


def wire_of(bag: Mapping[str, str]) -> Wire:
    """The format of an application databag: ``version: v1`` is v1, anything else is v0."""
    return "v1" if bag.get("version") == "v1" else "v0"


def read_requests(bag: Mapping[str, str], relation_id: int = -1) -> Requests:
    """Read what a requirer asks for, in the format that it chose."""
    codec = v1 if wire_of(bag) == "v1" else v0
    return codec.read_requests(bag, relation_id)


def read_responses(bag: Mapping[str, str]) -> Responses:
    """Read what a provider published, in the format that it used."""
    return v1.read_responses(bag) if wire_of(bag) == "v1" else v0.read_responses(bag)


def write_responses(wire: Wire, responses: Responses, old: Mapping[str, str]) -> dict[str, str]:
    """The changes that bring a provider's databag up to date.

    Args:
        wire: The format that the requirer chose.
        responses: Everything that the databag is to contain.
        old: The databag as it is; keys that no format knows stay as they are.

    Returns:
        Only what differs; an empty value removes the key, as in Juju.
    """
    write = v1.write_responses if wire == "v1" else v0.write_responses
    changes = _difference(write(responses), old)
    if changes and wire == "v1":
        changes = _difference(write(v1.mirror_statuses(responses, old)), old)
    return changes


def _difference(new: Mapping[str, str], old: Mapping[str, str]) -> dict[str, str]:
    ours = v1.PROVIDER_KEYS | v0.PROVIDER_KEYS | v0.aliases(old)
    changes = {key: value for key, value in new.items() if old.get(key, "") != value}
    changes.update({key: "" for key in old if key in ours and key not in new})
    return changes
