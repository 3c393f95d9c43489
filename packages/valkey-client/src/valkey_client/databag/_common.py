"""What both formats share."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from ..messages import (
    AccessRequest,
    RelationStatus,
    Response,
    Topology,
    Wire,
    format_endpoints,
    parse_endpoints,
)


class Requests(NamedTuple):
    """What a requirer's databag says.

    Attributes:
        wire: Its format.
        requests: What was understood, one for each id, in the order of the databag.
        problems: What was not, for the requirer to read.
        is_complete: False if the databag is damaged as a whole, so that a request that is not
            among :attr:`requests` must not be taken for withdrawn.
    """

    wire: Wire
    requests: tuple[AccessRequest, ...] = ()
    problems: tuple[RelationStatus, ...] = ()
    is_complete: bool = True


class Responses(NamedTuple):
    """What a provider's databag says.

    Attributes:
        wire: Its format.
        responses: One for each request that was granted or refused.
        statuses: What the provider says of the relation.
        is_complete: False if the databag is damaged as a whole.
        notes: What ``data`` says beyond the requests; kept as it is.
    """

    wire: Wire
    responses: tuple[Response, ...] = ()
    statuses: tuple[RelationStatus, ...] = ()
    is_complete: bool = True
    notes: Mapping[str, Any] = MappingProxyType({})


_URI = r"secret:[A-Za-z0-9/_.-]{1,200}\Z"
_WORD = r"[A-Za-z0-9_.:+~-]{1,100}\Z"
_LONGEST_SENTENCE = 500


def load(text: str) -> object:
    """JSON of remote origin as Python objects; None if it is not JSON or absurdly nested."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def dump(value: object) -> str:
    """Canonical JSON: equal values are equal text."""
    return json.dumps(value, sort_keys=True)


def as_dict(value: object) -> dict[str, Any] | None:
    """The value if it is a JSON object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[Any] | None:
    """The value if it is a JSON array."""
    return cast("list[Any]", value) if isinstance(value, list) else None


def as_text(value: object) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_secret_uri(value: object) -> str:
    """The value if it looks like a secret's URI (``secret:.*``), else an empty string."""
    text = as_text(value)
    return text if re.match(_URI, text) else ""


def as_word(value: object) -> str:
    """A version, mode or name: printable ASCII without blanks, or nothing."""
    text = as_text(value)
    return text if re.match(_WORD, text) else ""


def as_sentence(value: object) -> str:
    """A text of remote origin that a person will read in a status: one line, not too long."""
    line = " ".join(as_text(value)[:_LONGEST_SENTENCE].split())
    return "".join(c if c.isprintable() else "?" for c in line)


def as_number(value: object) -> int:
    """A database number; 0 for anything that is not one."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def read_topology(item: Mapping[str, Any], version: object) -> Topology:
    """The fields of a response that say where the service is; either spelling of Sentinel's."""
    sentinel = as_text(item.get("sentinel-endpoints")) or as_text(item.get("sentinel_endpoints"))
    defaults = Topology()
    return Topology(
        endpoints=parse_endpoints(as_text(item.get("endpoints"))),
        read_only_endpoints=parse_endpoints(as_text(item.get("read-only-endpoints"))),
        sentinel_endpoints=parse_endpoints(sentinel),
        version=as_word(version),
        mode=as_word(item.get("mode")) or defaults.mode,
        primary_name=as_word(item.get("primary-name")) or defaults.primary_name,
    )


def write_topology(topology: Topology) -> dict[str, str]:
    """The same fields as text, without the server's version, which each format puts elsewhere."""
    return {
        "endpoints": format_endpoints(topology.endpoints),
        "read-only-endpoints": format_endpoints(topology.read_only_endpoints),
        "sentinel-endpoints": format_endpoints(topology.sentinel_endpoints),
        "mode": topology.mode,
        "primary-name": topology.primary_name,
    }


def read_status(value: object) -> RelationStatus | None:
    """One status; None if it is not one."""
    item = as_dict(value)
    if item is None:
        return None
    code = item.get("code")
    if not isinstance(code, int) or isinstance(code, bool):
        return None
    message, resolution = as_sentence(item.get("message")), as_sentence(item.get("resolution"))
    return RelationStatus(code, message, resolution)


def read_statuses(text: str) -> tuple[RelationStatus, ...]:
    """The ``status`` field: a JSON list; what is not a status is left out."""
    found = [read_status(item) for item in as_list(load(text)) or []]
    return tuple(status for status in found if status)


def write_status(status: RelationStatus) -> dict[str, Any]:
    """One status as the field's requirers expect it: exactly these three keys."""
    return {"code": status.code, "message": status.message, "resolution": status.resolution}


def write_statuses(statuses: tuple[RelationStatus, ...]) -> dict[str, str]:
    """The ``status`` field, or nothing at all."""
    return {"status": dump([write_status(s) for s in statuses])} if statuses else {}


class Notes(NamedTuple):
    """What a provider notes about a request in ``data``, for itself; see :class:`Response`."""

    tls_digest: str
    asked: str
    statuses: tuple[RelationStatus, ...]

    @classmethod
    def read(cls, note: Mapping[str, Any]) -> Notes:
        """From the entry of a request in ``data``."""
        found = tuple(s for item in as_list(note.get("status")) or () if (s := read_status(item)))
        return cls(as_text(note.get("tls")), as_text(note.get("asked")), found)


def write_notes(response: Response) -> dict[str, Any]:
    """The entry of a response in ``data``: the request's identity and the provider's notes."""
    note: dict[str, Any] = {"resource": response.resource, "salt": response.salt}
    if response.request_id:
        note["request-id"] = response.request_id
    if response.tls_digest:
        note["tls"] = response.tls_digest
    if response.asked:
        note["asked"] = response.asked
    if response.statuses:
        note["status"] = [write_status(status) for status in response.statuses]
    return note
