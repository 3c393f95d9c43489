"""The v1 format: a list of requests, a list of responses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import statuses
from .._errors import PrefixError
from .._prefix import KeyPrefix, quote
from ..messages import DEFAULT_SECRETS, AccessRequest, RelationStatus, Response
from ..options import FIELDS, RequestOptions
from ._common import (
    Requests,
    Responses,
    as_dict,
    as_list,
    as_number,
    as_secret_uri,
    as_text,
    dump,
    load,
    read_notes,
    read_statuses,
    read_topology,
    write_notes,
    write_status,
    write_statuses,
    write_topology,
)
from ._options import read_options

PROVIDER_KEYS = frozenset({"version", "requests", "data", "status"})
"""What a provider writes at the top level."""

REQUIRER_KEYS = frozenset({"version", "requests", "requested-secrets", "prefix"})
"""What a requirer writes at the top level."""

MAX_ID_LENGTH = 256
"""The longest request-id, in characters, that is accepted."""

MAX_REQUESTS = 1000
"""The most requests in one relation that are served; each is an account on every server."""

_MIRROR = "status"
_REQUEST_FIELDS = FIELDS | {"resource", "request-id", "salt", "secret-mtls", "mtls-cert"}
_RESPONSE_FIELDS = _REQUEST_FIELDS | {
    *("endpoints", "read-only-endpoints", "sentinel-endpoints", "mode", "primary-name"),
    *("version", "secret-user", "secret-tls", "database"),
}


def read_requests(bag: Mapping[str, str], relation_id: int = -1) -> Requests:
    """Read a requirer's databag.

    A malformed list changes no grant (``is_complete`` is False). A malformed entry is refused
    without consequences for the others.
    """
    if "requests" not in bag:
        return Requests("v1")
    items = as_list(load(bag["requests"]))
    if items is None:
        problem = statuses.malformed("requests is not a JSON list")
        return Requests("v1", problems=(problem,), is_complete=False)
    requests: dict[str, AccessRequest] = {}
    problems: list[RelationStatus] = []
    if len(items) > MAX_REQUESTS:
        problems.append(statuses.too_many(len(items), MAX_REQUESTS))
        items = items[:MAX_REQUESTS]
    for number, item in enumerate(items, start=1):
        request, mistakes = _read_request(item, number, relation_id)
        problems += mistakes
        if request is None:
            continue
        if request.key not in requests:
            requests[request.key] = request
        elif requests[request.key].prefix != request.prefix:
            problems.append(statuses.duplicate_id(request.request_id))
    # An entry without an id may be a request that was granted: then nothing is withdrawn.
    is_complete = all(_has_id(item) for item in items)
    return Requests("v1", tuple(requests.values()), tuple(problems), is_complete)


def _has_id(item: object) -> bool:
    entry = as_dict(item)
    return entry is not None and _check_id(entry.get("request-id"), 0) is None


def _check_id(request_id: object, number: int) -> RelationStatus | None:
    if not isinstance(request_id, str) or not request_id:
        return statuses.malformed(f"request {number} has no request-id")
    if request_id == _MIRROR:
        return statuses.malformed(f"request-id {quote(request_id)} is reserved")
    if len(request_id) > MAX_ID_LENGTH:
        return statuses.malformed(
            f"request-id {quote(request_id)} has more than {MAX_ID_LENGTH} characters"
        )
    return None


def _read_request(
    item: object, number: int, relation_id: int
) -> tuple[AccessRequest | None, list[RelationStatus]]:
    """A request (None if it cannot be served) and what is wrong with it."""
    entry = as_dict(item)
    if entry is None:
        return None, [statuses.malformed(f"request {number} is not a JSON object")]
    request_id = entry.get("request-id", "")
    if problem := _check_id(request_id, number):
        return None, [problem]
    if "resource" not in entry:
        return None, [statuses.malformed(f"request {quote(request_id)} has no resource")]
    try:
        prefix = KeyPrefix.parse(entry["resource"])
    except PrefixError as error:
        return None, [statuses.refused_prefix(f"request {quote(request_id)}: {error}")]
    options, problems = read_options(prefix, entry)
    secret_mtls = as_secret_uri(entry.get("secret-mtls"))
    if entry.get("secret-mtls") and not secret_mtls:
        problems.append(statuses.ignored_field("secret-mtls", "it must be the URI of a secret"))
    request = AccessRequest(
        prefix=prefix,
        request_id=request_id,
        salt=as_text(entry.get("salt"))[:64],
        relation_id=relation_id,
        wire="v1",
        options=options,
        secret_mtls=secret_mtls,
        mtls_cert=as_text(entry.get("mtls-cert")),
        extra={k: v for k, v in entry.items() if k not in _REQUEST_FIELDS and v is not None},
    )
    return request, problems


def write_requests(requests: Iterable[AccessRequest]) -> dict[str, str]:
    """What a requirer's leader writes into its application databag.

    ``requested-secrets`` and ``prefix`` are at the top level because the contract expects them;
    providers in the field read ``requests`` only.
    """
    listed = tuple(requests)
    items = [
        {
            "resource": str(request.prefix),
            "request-id": request.request_id,
            "salt": request.salt,
            **request.options.fields,
            **({"secret-mtls": request.secret_mtls} if request.secret_mtls else {}),
            **({"mtls-cert": request.mtls_cert} if request.mtls_cert else {}),
            **request.extra,
        }
        for request in listed
    ]
    return {
        "version": "v1",
        "requests": dump(items),
        "requested-secrets": dump(list(DEFAULT_SECRETS)),
        "prefix": ",".join(str(request.prefix) for request in listed),
    }


def read_responses(bag: Mapping[str, str]) -> Responses:
    """Read a provider's databag."""
    items = as_list(load(bag["requests"])) if "requests" in bag else []
    notes = as_dict(load(bag.get("data", "{}"))) or {}
    responses: dict[str, Response] = {}
    for item in items or []:
        entry = as_dict(item)
        request_id = as_text(entry.get("request-id")) if entry else ""
        if entry and request_id:
            note = as_dict(notes.get(request_id)) or {}
            responses.setdefault(request_id, _read_response(entry, request_id, note))
    for request_id, value in notes.items():
        note = as_dict(value) or {}
        if request_id not in responses and "status" in note and "resource" in note:
            responses[request_id] = _read_response(note, request_id, note)
    return Responses(
        "v1",
        tuple(responses.values()),
        read_statuses(bag.get("status", "[]")),
        is_complete=items is not None,
        notes={key: value for key, value in notes.items() if key not in responses},
    )


def _read_response(entry: Mapping[str, Any], request_id: str, note: Mapping[str, Any]) -> Response:
    tls_digest, request_digest, note_statuses = read_notes(note)
    is_note = entry is note
    return Response(
        resource=as_text(entry.get("resource")),
        request_id=request_id,
        salt=as_text(entry.get("salt")),
        topology=read_topology(entry, entry.get("version")),
        secret_user=as_secret_uri(entry.get("secret-user")),
        secret_tls=as_secret_uri(entry.get("secret-tls")),
        database=as_number(entry.get("database")),
        options=_read_granted(entry),
        tls_digest=tls_digest,
        request_digest=request_digest,
        statuses=note_statuses,
        extra={} if is_note else {k: v for k, v in entry.items() if k not in _RESPONSE_FIELDS},
    )


def _read_granted(entry: Mapping[str, Any]) -> RequestOptions:
    """The options that were granted."""
    try:
        prefix = KeyPrefix.parse(entry.get("resource"))
    except PrefixError:
        return RequestOptions()
    return read_options(prefix, entry)[0]


def write_responses(responses: Responses) -> dict[str, str]:
    """What a provider's leader writes into its application databag.

    Requirers in the field react to ``data``: each response must have an entry there, or their
    hook fails. A refused request has an entry and no response.
    """
    items = [_write_response(r) for r in responses.responses if r.is_granted]
    notes = dict(responses.notes) | {r.request_id: write_notes(r) for r in responses.responses}
    return {
        "version": "v1",
        "requests": dump(items),
        "data": dump(notes),
        **write_statuses(responses.statuses),
    }


def mirror_statuses(responses: Responses, old: Mapping[str, str]) -> Responses:
    """Note the statuses of the old databag in ``data``.

    Requirers in the field compare ``status`` with this note to learn what was raised and what
    was resolved.
    """
    before = {str(s.code): write_status(s) for s in read_statuses(old.get("status", "[]"))}
    return responses._replace(notes={**responses.notes, _MIRROR: before})


def _write_response(response: Response) -> dict[str, Any]:
    item: dict[str, Any] = {
        **response.extra,
        "resource": response.resource,
        "request-id": response.request_id,
        "salt": response.salt,
        **response.options.fields,
        **write_topology(response.topology),
        "version": response.topology.version,
        "secret-user": response.secret_user,
        "secret-tls": response.secret_tls,
    }
    if response.database:
        item["database"] = response.database
    return {key: value for key, value in item.items() if value != ""}
