"""Relations and secrets for unit tests of charms with ``ops.testing``.

Each function makes a relation in one of the states that a charm can find it in. The codecs of the
library write the databags, so a test does not depend on their format::

    granted = relation_for_requirer("valkey", "granted", app="greeter")
    out = ctx.run(ctx.on.relation_changed(granted.relation), granted.state())

    moved = relation_for_requirer("valkey", "moved", app="greeter")
    out = ctx.run(ctx.on.relation_changed(moved.relation), moved.state(out))
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, NamedTuple

from ops import testing

from valkey_client import AccessRequest, Endpoint, KeyPrefix, RelationStatus, Topology, statuses
from valkey_client.databag import Responses, v0, v1, write_responses
from valkey_client.messages import Response, Wire, account_name, request_id, request_salt
from valkey_client.messages import secret_label as label
from valkey_client.options import RequestOptions

State = Literal["asked", "granted", "tls", "moved", "rotated", "rejected", "gone", "malformed"]
"""What has happened on a relation.

- ``asked``: there is a request and no response.
- ``granted``: there is a response with access.
- ``tls``: access was granted, with TLS on.
- ``moved``: access was granted, then another server became the primary.
- ``rotated``: access was granted, then the password changed.
- ``rejected``: the request was refused with a status.
- ``gone``: access was granted, then the provider withdrew it, or the requirer its request.
- ``malformed``: the databag of the other application is malformed.
"""

MODEL = testing.Model("kit", uuid="5b7d3f0e-3c53-4b0f-9d7c-6f2a90f4b1c8")
"""The model of these relations; the ids of requests depend on its UUID."""

PASSWORD = "first-password"  # noqa: S105 - of no existing account
NEW_PASSWORD = "second-password"  # noqa: S105
CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"

TOPOLOGY = Topology(
    endpoints=(Endpoint("10.0.0.1", 6379),),
    read_only_endpoints=(Endpoint("10.0.0.2", 6379), Endpoint("10.0.0.3", 6379)),
    sentinel_endpoints=tuple(Endpoint(f"10.0.0.{n}", 26379) for n in (1, 2, 3)),
    version="9.1.2",
)
MOVED = dataclasses.replace(
    TOPOLOGY,
    endpoints=(Endpoint("10.0.0.2", 6379),),
    read_only_endpoints=(Endpoint("10.0.0.1", 6379), Endpoint("10.0.0.3", 6379)),
)
REFUSAL = statuses.refused_prefix("the prefix is not served here")

NO_OPTIONS = RequestOptions()
_DATABASE = 16
_GRANTED: tuple[State, ...] = ("granted", "tls", "moved", "rotated")
_MALFORMED = {"version": "v1", "requests": "[{"}


class RelationWithSecrets(NamedTuple):
    """A relation in some state, and its secrets."""

    relation: testing.Relation
    secrets: tuple[testing.Secret, ...]

    def state(self, after: testing.State | None = None, **parts: Any) -> testing.State:
        """A state of the unit that contains this relation.

        Args:
            after: The state that an earlier run returned; its other parts are kept. If None, a new
                state in which the unit is the leader.
            parts: Other arguments of :class:`ops.testing.State`.
        """
        own: dict[str, Any] = {"relations": {self.relation}, "secrets": set(self.secrets)}
        if after is not None:
            others = {r for r in after.relations if r.id != self.relation.id}
            return dataclasses.replace(after, **own | {"relations": {self.relation, *others}})
        arguments: dict[str, Any] = {"leader": True, "model": MODEL, **own, **parts}
        return testing.State(**arguments)


def relation_for_requirer(
    endpoint: str,
    state: State = "granted",
    *,
    app: str,
    prefix: str = "application:*",
    options: RequestOptions = NO_OPTIONS,
    wire: Wire = "v1",
    relation_id: int = 7,
    model: testing.Model = MODEL,
    remote_app_name: str = "valkey",
) -> RelationWithSecrets:
    """A relation as a requirer's charm finds it.

    Args:
        endpoint: The charm's endpoint.
        state: What has happened on it.
        app: The name of the application under test; ``ops.testing`` uses the name of its charm.
        prefix: The prefix that the charm requests.
        options: The options that it requests, in v1; all are granted where access is.
        wire: The format of the request.
        relation_id: The relation's id; use the same for each state of one relation.
        model: The model; the request's id depends on its UUID.
        remote_app_name: The name of the provider's application.

    Raises:
        PrefixError: If the prefix breaks the grammar.
    """
    request = _request(
        model, app, endpoint, relation_id=relation_id, prefix=prefix, options=options, wire=wire
    )
    secrets = _secrets(endpoint, state, request, owner=None)
    remote = (
        dict(_MALFORMED) if state == "malformed" else _provider_databag(state, request, secrets)
    )
    relation = testing.Relation(
        endpoint,
        interface="valkey_client",
        id=relation_id,
        remote_app_name=remote_app_name,
        local_app_data=_requirer_databag(request),
        remote_app_data=remote,
    )
    return RelationWithSecrets(relation, secrets)


def relation_for_provider(
    endpoint: str,
    state: State = "asked",
    *,
    prefix: str = "application:*",
    options: RequestOptions = NO_OPTIONS,
    wire: Wire = "v1",
    relation_id: int = 7,
    model: testing.Model = MODEL,
    remote_app_name: str = "application",
) -> RelationWithSecrets:
    """A relation as a provider's charm finds it.

    In ``gone`` and ``malformed``, access was granted before.

    Args:
        endpoint: The charm's endpoint.
        state: What has happened on it.
        prefix: The prefix that the requirer requests.
        options: The options that it requests, in v1; all are granted where access is.
        wire: The format of the request.
        relation_id: The relation's id; use the same for each state of one relation.
        model: The model.
        remote_app_name: The name of the requirer's application.

    Raises:
        PrefixError: If the prefix breaks the grammar.
    """
    request = _request(
        model,
        remote_app_name,
        endpoint,
        relation_id=relation_id,
        prefix=prefix,
        options=options,
        wire=wire,
    )
    before: State = "granted" if state in {"gone", "malformed"} else state
    grants = {relation_id: {remote_app_name}}
    secrets = _secrets(endpoint, before, request, owner="app", remote_grants=grants)
    remote = _requirer_databag(request)
    if state == "malformed":
        remote = dict(_MALFORMED)
    elif state == "gone":
        remote = v1.write_requests(()) if wire == "v1" else {}
    relation = testing.Relation(
        endpoint,
        interface="valkey_client",
        id=relation_id,
        remote_app_name=remote_app_name,
        local_app_data=_provider_databag(before, request, secrets),
        remote_app_data=remote,
    )
    return RelationWithSecrets(relation, secrets)


def _request(
    model: testing.Model,
    app: str,
    endpoint: str,
    *,
    relation_id: int,
    prefix: str,
    options: RequestOptions,
    wire: Wire,
) -> AccessRequest:
    parsed = KeyPrefix.parse(prefix)
    if wire == "v0":
        return AccessRequest(parsed, relation_id=relation_id, wire="v0", alias="database")
    salt = request_salt(model.uuid, app, endpoint, relation_id, prefix)
    return AccessRequest(parsed, request_id(prefix, salt), salt, relation_id, options=options)


def _requirer_databag(request: AccessRequest) -> dict[str, str]:
    if request.wire == "v0":
        return v0.write_requests(request)
    return v1.write_requests([request])


def _secrets(
    endpoint: str, state: State, request: AccessRequest, **parts: Any
) -> tuple[testing.Secret, ...]:
    """The request's two secrets; in ``rotated`` the charm tracks the old password."""
    if state not in _GRANTED:
        return ()
    name = account_name(request.relation_id, request.request_id)
    user = {"username": name, "password": PASSWORD}
    latest = {**user, "password": NEW_PASSWORD} if state == "rotated" else None
    scope = (endpoint, request.relation_id, request.request_id)
    return (
        testing.Secret(user, latest_content=latest, label=label(*scope, "user"), **parts),
        testing.Secret(_topology(state).tls_secret, label=label(*scope, "tls"), **parts),
    )


def _topology(state: State) -> Topology:
    if state == "tls":
        return dataclasses.replace(TOPOLOGY, tls=True, tls_ca=CA)
    return MOVED if state == "moved" else TOPOLOGY


def _provider_databag(
    state: State, request: AccessRequest, secrets: tuple[testing.Secret, ...]
) -> dict[str, str]:
    if state == "asked":
        return {}
    refusals: tuple[RelationStatus, ...] = (REFUSAL,) if state == "rejected" else ()
    response = Response(
        resource=str(request.prefix),
        request_id=request.request_id,
        salt=request.salt,
        statuses=refusals,
        alias=request.alias,
    )
    if secrets:
        topology = _topology(state)
        response = response._replace(
            topology=topology,
            secret_user=secrets[0].id,
            secret_tls=secrets[1].id,
            tls_digest=topology.tls_digest,
            options=request.options,
            database=_DATABASE if request.options.own_database else 0,
            request_digest=request.options.digest,
        )
    responses = () if state == "gone" else (response,)
    return write_responses(request.wire, Responses(request.wire, responses, refusals), {})
