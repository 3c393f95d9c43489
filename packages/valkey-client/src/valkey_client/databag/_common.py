"""What both formats have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from ..messages import (
    Access,
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
        requests: The requests that are well formed, one for each id, in the order of the databag.
        problems: What is wrong with the others, for the requirer.
        is_complete: False if the databag is damaged: then a request that is missing from
            :attr:`requests` was not necessarily withdrawn.
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
        statuses: The statuses of the relation.
        is_complete: False if the databag is damaged.
        notes: What else is in ``data``; kept as it is.
    """

    wire: Wire
    responses: tuple[Response, ...] = ()
    statuses: tuple[RelationStatus, ...] = ()
    is_complete: bool = True
    notes: Mapping[str, Any] = MappingProxyType({})


_URI = r"secret:[A-Za-z0-9/_.-]{1,200}\Z"
_NAME = r"[A-Za-z0-9_.:+~-]{1,100}\Z"
_LONGEST_SENTENCE = 500


def load(text: str) -> object:
    """JSON of remote origin as Python objects; None if it is not JSON or nested too deeply."""
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
    """The value if it is a secret's URI (``secret:.*``), else an empty string."""
    text = as_text(value)
    return text if re.match(_URI, text) else ""


def as_name(value: object) -> str:
    """A version, mode or name: printable ASCII without spaces, or nothing."""
    text = as_text(value)
    return text if re.match(_NAME, text) else ""


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
    """The topology in a response, with either spelling of ``sentinel-endpoints``."""
    sentinel = as_text(item.get("sentinel-endpoints")) or as_text(item.get("sentinel_endpoints"))
    defaults = Topology()
    return Topology(
        endpoints=parse_endpoints(as_text(item.get("endpoints"))),
        read_only_endpoints=parse_endpoints(as_text(item.get("read-only-endpoints"))),
        sentinel_endpoints=parse_endpoints(sentinel),
        version=as_name(version),
        mode=as_name(item.get("mode")) or defaults.mode,
        primary_name=as_name(item.get("primary-name")) or defaults.primary_name,
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
    statuses = (read_status(item) for item in as_list(load(text)) or [])
    return tuple(status for status in statuses if status)


def write_status(status: RelationStatus) -> dict[str, Any]:
    """One status as requirers in the field expect it: exactly these three keys."""
    return {"code": status.code, "message": status.message, "resolution": status.resolution}


def write_statuses(statuses: tuple[RelationStatus, ...]) -> dict[str, str]:
    """The ``status`` field, or no field."""
    return {"status": dump([write_status(s) for s in statuses])} if statuses else {}


def read_notes(note: Mapping[str, Any]) -> tuple[str, str, tuple[RelationStatus, ...]]:
    """What a provider notes about a request in ``data``, for itself; see :class:`Response`.

    Returns:
        The digest of ``secret-tls``, that of the request, and the statuses.
    """
    statuses = (read_status(item) for item in as_list(note.get("status")) or ())
    listed = tuple(status for status in statuses if status)
    return as_text(note.get("tls")), as_text(note.get("asked")), listed


def write_notes(response: Response) -> dict[str, Any]:
    """The entry of a response in ``data``: the request's identity and the provider's notes."""
    note: dict[str, Any] = {"resource": response.resource, "salt": response.salt}
    if response.request_id:
        note["request-id"] = response.request_id
    if response.tls_digest:
        note["tls"] = response.tls_digest
    if response.request_digest:
        note["asked"] = response.request_digest
    if response.statuses:
        note["status"] = [write_status(status) for status in response.statuses]
    return note


def read_access(
    prefix: str, response: Response, user: Mapping[str, str], tls: Mapping[str, str]
) -> Access | None:
    """The access that a response and its secrets describe.

    Args:
        prefix: What was asked for.
        response: What the provider's databag says.
        user: Content of ``secret-user``.
        tls: Content of ``secret-tls``; not used if the response names no such secret.

    Returns:
        None if a secret lacks what it must hold.
    """
    if not user.get("username") or "password" not in user:
        return None
    if not response.secret_tls:
        tls = {}
    elif "tls" not in tls:
        return None
    topology = replace(
        response.topology,
        tls=tls.get("tls", "").lower() == "true",
        tls_ca=tls.get("tls-ca", ""),
    )
    return Access(
        prefix,
        user["username"],
        user["password"],
        topology,
        response.database,
        response.options,
    )
