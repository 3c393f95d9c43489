"""The v0 format: flat keys, one request in a relation."""

from __future__ import annotations

from collections.abc import Mapping

from .. import statuses
from .._errors import PrefixError
from .._prefix import KeyPrefix
from ..messages import DEFAULT_SECRETS, AccessRequest, RelationStatus, Response
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
    write_statuses,
    write_topology,
)

ALIASES = ("database", "subject", "topic", "index", "plugin-url", "prefix")
"""The fields that may contain the prefix; the first one that is set is used."""

PROVIDER_KEYS = frozenset(
    {
        *("endpoints", "read-only-endpoints", "sentinel-endpoints", "sentinel_endpoints", "mode"),
        *("primary-name", "version", "secret-user", "secret-tls", "resource", "salt", "data"),
        *("status", "database-number"),
    }
)
"""What a provider writes, apart from the echoed alias."""

REQUIRER_KEYS = frozenset({"database", "requested-secrets"})
"""What our requirer writes."""


def aliases(bag: Mapping[str, str]) -> frozenset[str]:
    """The aliases that a provider's databag echoes."""
    resource = bag.get("resource")
    return frozenset(a for a in ALIASES if resource and bag.get(a) == resource)


def read_requests(bag: Mapping[str, str], relation_id: int = -1) -> Requests:
    """Read a requirer's databag. Values are strings: ``123`` and ``true`` are prefixes too."""
    problems: list[RelationStatus] = []
    version = bag.get("version", "")
    alias = next((name for name in ALIASES if bag.get(name)), "")
    if version not in {"", "v0"} and not alias:
        return Requests("v0", problems=(statuses.unknown_version(version),), is_complete=False)
    secrets = bag.get("requested-secrets")
    if secrets is not None and as_list(load(secrets)) is None:
        problems.append(statuses.ignored_field("requested-secrets", "it must be a JSON list"))
    if not alias:
        return Requests("v0", problems=tuple(problems))
    try:
        prefix = KeyPrefix.parse(bag[alias])
    except PrefixError as error:
        problems.append(statuses.refused_prefix(str(error)))
        return Requests("v0", problems=tuple(problems))
    request = AccessRequest(prefix=prefix, relation_id=relation_id, wire="v0", alias=alias)
    return Requests("v0", (request,), tuple(problems))


def write_requests(request: AccessRequest) -> dict[str, str]:
    """What a requirer's leader writes into its application databag."""
    return {"database": str(request.prefix), "requested-secrets": dump(list(DEFAULT_SECRETS))}


def read_responses(bag: Mapping[str, str]) -> Responses:
    """Read a provider's databag."""
    relation_statuses = read_statuses(bag.get("status", "[]"))
    alias = next((a for a in ALIASES if bag.get(a)), "")
    resource = bag.get("resource") or bag.get(alias, "")
    note = as_dict(load(bag.get("data", "{}"))) or {}
    tls_digest, _, note_statuses = read_notes(note)
    resource = resource or (as_text(note.get("resource")) if note_statuses else "")
    if not (resource or bag.get("secret-user") or bag.get("endpoints")):
        return Responses("v0", (), relation_statuses)
    response = Response(
        resource=resource,
        salt=bag.get("salt", "") or as_text(note.get("salt")),
        topology=read_topology(bag, bag.get("version")),
        secret_user=as_secret_uri(bag.get("secret-user")),
        secret_tls=as_secret_uri(bag.get("secret-tls")),
        database=as_number(bag.get("database-number")),
        tls_digest=tls_digest,
        statuses=note_statuses,
        alias=alias,
    )
    return Responses("v0", (response,), relation_statuses)


def write_responses(responses: Responses) -> dict[str, str]:
    """What a provider's leader writes into its application databag.

    ``sentinel_endpoints`` is spelled as in the contract's example and in the field, and once more
    with a hyphen. The application's own database is in ``database-number``, because ``database``
    contains the prefix in this format.
    """
    status = write_statuses(responses.statuses)
    response = next((r for r in responses.responses if r.is_granted or r.statuses), None)
    if response is None:
        return status
    data = {"data": dump(write_notes(response)), **status}
    if not response.is_granted:
        return data
    topology = write_topology(response.topology)
    flat = {
        **topology,
        "sentinel_endpoints": topology["sentinel-endpoints"],
        "version": response.topology.version,
        "resource": response.resource,
        response.alias or "database": response.resource,
        "salt": response.salt,
        "secret-user": response.secret_user,
        "secret-tls": response.secret_tls,
        "database-number": str(response.database or ""),
    }
    return {key: value for key, value in (flat | data).items() if value}
