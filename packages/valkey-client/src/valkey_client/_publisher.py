"""Writes a provider's responses into databags and secrets."""

from __future__ import annotations

from collections.abc import Iterable

import ops

from ._draft import Draft
from ._provider_responses import Grant, Notice, ProviderResponse, Refusal, Withdrawal
from ._secrets import RequestSecrets
from .databag import Requests, Responses, read_requests, read_responses
from .messages import Response, Topology, request_key

_ORDER = (Withdrawal, Grant, Notice, Refusal)


class Publisher:
    """Reads and writes the relations on one endpoint; to write is for the leader.

    Args:
        model: The model.
        endpoint: The name of the endpoint.
    """

    def __init__(self, model: ops.Model, endpoint: str):
        self._model = model
        self._endpoint = endpoint
        self._secrets = RequestSecrets(model, endpoint)
        self._ended: dict[int, ops.Relation | None] = {}

    @property
    def relations(self) -> list[ops.Relation]:
        """The relations on the endpoint, without one that is just breaking."""
        return [relation for relation in self._model.relations[self._endpoint] if relation.active]

    def requests_of(self, relation: ops.Relation) -> Requests:
        """See :meth:`.ValkeyProvider.requests_of`."""
        try:
            bag = dict(relation.data[relation.app])
        except (ops.ModelError, KeyError):
            # The relation was removed while its hook was retried.
            return Requests("v0", is_complete=False)
        return read_requests(bag, relation.id)

    def responses_of(self, relation: ops.Relation) -> Responses:
        """See :meth:`.ValkeyProvider.responses_of`."""
        return read_responses(relation.data[self._model.app])

    def request_ids(self, relation_id: int) -> tuple[str, ...]:
        """The requests of a relation that have a response; none if the relation is gone."""
        return tuple(self._published(self._relation(relation_id)))

    def respond(
        self, responses: Iterable[ProviderResponse], topology: Topology | None
    ) -> list[int]:
        """See :meth:`.ValkeyProvider.respond`."""
        by_relation: dict[int, list[ProviderResponse]] = {}
        for response in sorted(responses, key=lambda response: _ORDER.index(type(response))):
            by_relation.setdefault(response.relation_id, []).append(response)
        if topology is not None:
            for relation in self.relations:
                by_relation.setdefault(relation.id, [])
        return [
            relation_id
            for relation_id, group in by_relation.items()
            if self._respond(relation_id, group, topology)
        ]

    def write_statuses(self, relation: ops.Relation) -> None:
        """Tell a requirer what is wrong, or no longer wrong, with what it asks for."""
        self._draft(relation).write(self._model.app)

    def _relation(self, relation_id: int) -> ops.Relation | None:
        """A relation. One that has ended is kept: the model would read it again each time."""
        if relation_id in self._ended:
            return self._ended[relation_id]
        relation = self._model.get_relation(self._endpoint, relation_id)
        if relation is None or not relation.active:
            self._ended[relation_id] = relation
        return relation

    def _published(self, relation: ops.Relation | None) -> dict[str, Response]:
        """What the databag says now, by request id; nothing for a relation that is gone."""
        if relation is None or self._model.app not in relation.data:
            return {}
        return {r.request_id: r for r in self.responses_of(relation).responses}

    def _respond(
        self, relation_id: int, responses: list[ProviderResponse], topology: Topology | None
    ) -> bool:
        """Bring the secrets and the databag of one relation up to date.

        Returns:
            Whether the databag changed.
        """
        relation = self._relation(relation_id)
        published = self._published(relation)
        withdrawn = {
            request_id
            for response in responses
            if isinstance(response, Withdrawal)
            for request_id in response.request_ids
        }
        for request_id in sorted(withdrawn):
            response = published.get(request_id, Response("", request_id))
            self._secrets.remove(relation_id, response)
        if relation is None or not relation.active:
            return False
        if withdrawn & published.keys() or not all(isinstance(r, Withdrawal) for r in responses):
            draft = self._draft(relation)
        elif topology is not None and any(r.is_granted for r in published.values()):
            draft = Draft(relation, None, self.responses_of(relation))
        else:
            return False
        for response in responses:
            self._add(draft, response)
        if topology is not None:
            for request_id, response in draft.responses.items():
                draft.responses[request_id] = self._with_topology(response, topology)
        return draft.write(self._model.app)

    def _draft(self, relation: ops.Relation) -> Draft:
        return Draft(relation, self.requests_of(relation), self.responses_of(relation))

    def _add(self, draft: Draft, response: ProviderResponse) -> None:
        match response:
            case Grant(request):
                old = draft.responses.get(request.request_id, Response(""))
                draft.responses[request.request_id] = self._granted(draft.relation, response, old)
            case Refusal(request):
                old = draft.responses.get(request.request_id)
                draft.responses[request.request_id] = self._refused(response, old)
            case Notice(_, request_id):
                if old := draft.responses.get(request_id):
                    draft.responses[request_id] = _noticed(response, old)
            case Withdrawal(_, request_ids):
                for request_id in request_ids:
                    draft.responses.pop(request_id, None)

    def _granted(self, relation: ops.Relation, grant: Grant, old: Response) -> Response:
        request, access = grant.request, grant.access
        secret_user = old.secret_user
        if access.password:
            user = {"username": access.username, "password": access.password}
            secret_user = self._secrets.ensure(relation, request.request_id, "user", old, user)
        response = Response(
            resource=str(request.prefix),
            request_id=request.request_id,
            salt=request.salt or old.salt or self._salt(relation),
            secret_user=secret_user,
            secret_tls=old.secret_tls,
            tls_digest=old.tls_digest,
            database=access.database,
            options=access.options,
            request_digest=request.digest,
            statuses=tuple(grant.statuses),
            alias=request.alias,
            extra=old.extra,
        )
        if not response.secret_tls:
            uri = self._secrets.ensure(
                relation, request.request_id, "tls", old, access.topology.tls_secret
            )
            response = response._replace(secret_tls=uri, tls_digest=access.topology.tls_digest)
        return self._with_topology(response, access.topology)

    def _refused(self, refusal: Refusal, old: Response | None) -> Response:
        request = refusal.request
        if old and old.is_granted:
            self._secrets.remove(request.relation_id, old)
        return Response(
            resource=str(request.prefix),
            request_id=request.request_id,
            salt=request.salt or (old.salt if old else ""),
            statuses=(refusal.status,),
            alias=request.alias,
        )

    def _with_topology(self, response: Response, topology: Topology) -> Response:
        if not response.is_granted:
            return response
        if response.secret_tls and response.tls_digest != topology.tls_digest:
            self._model.get_secret(id=response.secret_tls).set_content(topology.tls_secret)
        return response._replace(topology=topology, tls_digest=topology.tls_digest)

    def _salt(self, relation: ops.Relation) -> str:
        """A v0 requirer sends no salt but expects one; any stable text is accepted."""
        return request_key(f"{self._model.uuid}.{self._endpoint}.{relation.id}")[:16]


def _noticed(notice: Notice, old: Response) -> Response:
    kept = [status for status in old.statuses if status.code != notice.code]
    added = [notice.status] if notice.status else []
    return old._replace(statuses=(*kept, *added))
