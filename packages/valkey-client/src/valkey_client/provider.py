"""The provider's end of the relation."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import ops

from . import statuses
from ._certificate_receiver import CertificateReceiver, ShownCertificate
from ._juju import require_secrets
from ._secrets import RequestSecrets
from .databag import Requests, Responses, read_requests, read_responses, wire_of, write_responses
from .events import ValkeyProviderEvents
from .messages import (
    Access,
    AccessRequest,
    RelationStatus,
    Response,
    Topology,
    request_key,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")


class _Draft:
    """What a relation's databag shall say, until it is written in one call."""

    def __init__(
        self,
        relation: ops.Relation,
        requests: Requests | None,
        responses: Mapping[str, Response] | None = None,
    ):
        self.relation = relation
        self.requests = requests
        self.responses = dict(responses or {})


class ValkeyProvider(ops.Object):
    """Answers the requirers on one endpoint, in the format that each of them chose.

    Every method that writes is for the leader. It writes only what differs, each databag in one
    call, and nothing in it depends on an earlier hook having run: what was granted is read back
    from the provider's own databag.

    The two secrets of a request belong to this class. They are granted before the databag names
    them and removed with the request.

    Args:
        charm: The charm.
        endpoint: The name of the endpoint in the charm's metadata.

    Raises:
        SecretsUnsupportedError: If the model's Juju has no secrets (contract, *Behavior*).
    """

    _stored = ops.StoredState()
    on = ValkeyProviderEvents()  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride]

    def __init__(self, charm: ops.CharmBase, endpoint: str):
        super().__init__(charm, f"valkey-provider-{endpoint}")
        require_secrets(charm.model, endpoint)
        self._charm = charm
        self.endpoint = endpoint
        self._secrets = RequestSecrets(charm.model, endpoint)
        self._certificates = CertificateReceiver(charm.model, endpoint)
        self._stored.set_default(leaving=False)
        self.framework.observe(charm.on[endpoint].relation_created, self._on_created)
        self.framework.observe(charm.on[endpoint].relation_changed, self._on_changed)
        self.framework.observe(charm.on[endpoint].relation_broken, self._on_broken)
        for name in charm.meta.relations:
            self.framework.observe(charm.on[name].relation_departed, self._on_departed)
        # What another unit heard as leader, or this one as follower, is looked up once.
        self.framework.observe(charm.on.leader_elected, self._on_every_relation)
        self.framework.observe(charm.on.upgrade_charm, self._on_every_relation)
        self.framework.observe(charm.on.secret_changed, self._on_secret_changed)

    # What was asked, and what was answered.

    @property
    def relations(self) -> list[ops.Relation]:
        """The relations on the endpoint, without one that is just breaking."""
        return [r for r in self.model.relations[self.endpoint] if r.active]

    @property
    def requests(self) -> tuple[AccessRequest, ...]:
        """Everything that is asked for, over all relations. Reads one databag a relation."""
        return tuple(
            request
            for relation in self.relations
            for request in self.requests_of(relation).requests
        )

    def requests_of(self, relation: ops.Relation) -> Requests:
        """What one requirer asks for. Reads one databag."""
        try:
            bag = dict(relation.data[relation.app])
        except (ops.ModelError, KeyError):
            # The relation went away while its hook was being retried.
            return Requests("v0", is_complete=False)
        return read_requests(bag, relation.id)

    def responses_of(self, relation: ops.Relation) -> Responses:
        """What one requirer was told. Reads one databag."""
        return read_responses(relation.data[self.model.app])

    def certificate_of(self, request: AccessRequest) -> ShownCertificate:
        """The certificate that a requirer's clients will show, or its CA.

        Reads a secret of the requirer, whose next change is told as ``changed``. Whether it can
        be trusted is for the charm to judge. Never raises on what a requirer did.
        """
        return self._certificates.read(request)

    # What to answer.

    def publish(
        self, request: AccessRequest, access: Access, statuses: Sequence[RelationStatus] = ()
    ) -> None:
        """Give a requirer what it asked for.

        The account must work on every server and Sentinel before this is called.

        Args:
            request: One of :attr:`requests`.
            access: The account, what it may do, and the topology. An empty password leaves the
                secret of a request that was granted before as it is.
            statuses: What to say about it, such as that others share its keys.
        """
        self.publish_all([(request, access, statuses)])

    def publish_all(
        self, grants: Iterable[tuple[AccessRequest, Access, Sequence[RelationStatus]]]
    ) -> None:
        """Publish many grants, with one write a relation."""
        listed = [(grant[0].relation_id, grant) for grant in grants]
        for relation, items in self._by_relation(listed):
            draft = self._draft(relation)
            for request, access, said in items:
                self._grant(draft, request, access, said)
            self._write(draft)

    def inform_all(self, notices: Iterable[tuple[int, str, int, RelationStatus | None]]) -> None:
        """Say something about requests that were granted, or no longer; one write a relation.

        Args:
            notices: The relation's id, the request's id, the code of the status, and the status
                itself or None to take it back.
        """
        for relation, items in self._by_relation((notice[0], notice) for notice in notices):
            draft = self._draft(relation)
            for _, request_id, code, status in items:
                if response := draft.responses.get(request_id):
                    said = [s for s in response.statuses if s.code != code]
                    said += [status] if status else []
                    draft.responses[request_id] = response._replace(statuses=tuple(said))
            self._write(draft)

    def _by_relation(
        self, items: Iterable[tuple[int, T]]
    ) -> Iterator[tuple[ops.Relation, list[T]]]:
        """What is to be said, a relation at a time; relations that are gone are left out."""
        grouped: dict[int, list[T]] = {}
        for relation_id, item in items:
            grouped.setdefault(relation_id, []).append(item)
        for relation_id, group in grouped.items():
            relation = self.model.get_relation(self.endpoint, relation_id)
            if relation is not None and relation.active:
                yield relation, group

    def update(self, topology: Topology) -> list[int]:
        """Tell every requirer that was granted something where the service is now.

        Reads this side's databags only, so it costs no more than the writes it has to make.

        Returns:
            Ids of the relations whose databag changed.
        """
        changed: list[int] = []
        for relation in self.relations:
            bag = relation.data[self.model.app]
            said = read_responses(bag)
            if not any(response.is_granted for response in said.responses):
                continue
            draft = _Draft(relation, None)
            for response in said.responses:
                current = self._with_topology(response, topology)
                draft.responses[response.request_id] = current
            if self._write(draft):
                changed.append(relation.id)
        return changed

    def reject(self, request: AccessRequest, status: RelationStatus) -> None:
        """Tell a requirer why it is not given what it asked for.

        What the request was granted before, under another prefix for example, is taken back.
        """
        self.reject_all([(request, status)])

    def reject_all(self, refusals: Iterable[tuple[AccessRequest, RelationStatus]]) -> None:
        """Reject many requests, with one write a relation."""
        listed = [(refusal[0].relation_id, refusal) for refusal in refusals]
        for relation, items in self._by_relation(listed):
            draft = self._draft(relation)
            for request, status in items:
                old = draft.responses.get(request.request_id)
                if old and old.is_granted:
                    self._secrets.remove(relation.id, old)
                draft.responses[request.request_id] = Response(
                    resource=str(request.prefix),
                    request_id=request.request_id,
                    salt=request.salt or (old.salt if old else ""),
                    statuses=(status,),
                    alias=request.alias,
                )
            self._write(draft)

    def withdraw(self, relation_id: int, request_ids: Iterable[str] | None = None) -> None:
        """Take back what was granted: the answer and both secrets of each request.

        Safe to repeat, and safe for a relation that no longer exists.

        Args:
            relation_id: The relation.
            request_ids: The requests, all of the relation's if None.
        """
        relation = self.model.get_relation(self.endpoint, relation_id)
        said: dict[str, Response] = {}
        if relation is not None and self.model.app in relation.data:
            said = {r.request_id: r for r in self.responses_of(relation).responses}
        gone = set(said if request_ids is None else request_ids)
        for request_id in sorted(gone):
            self._secrets.remove(relation_id, said.get(request_id, Response("", request_id)))
        if relation is None or not relation.active or not gone & said.keys():
            return
        draft = self._draft(relation)
        for request_id in gone:
            draft.responses.pop(request_id, None)
        self._write(draft)

    # Events.

    def _on_changed(self, event: ops.RelationChangedEvent) -> None:
        if self._charm.unit.is_leader():
            self._look_at(event.relation, event.unit)

    def _on_created(self, event: ops.RelationCreatedEvent) -> None:
        """Let a requirer in another model send a certificate; see :mod:`valkey_client._mtls`."""
        if self._charm.unit.is_leader():
            self._certificates.offer_key(event.relation, event.app)

    def _on_secret_changed(self, event: ops.SecretChangedEvent) -> None:
        """A requirer has another certificate."""
        number = self._certificates.relation_of(event.secret)
        for relation in self.relations if number else ():
            if str(relation.id) == number and self._charm.unit.is_leader():
                self.on.changed.emit(relation, app=relation.app)

    def _on_every_relation(self, _: ops.EventBase) -> None:
        if self._charm.unit.is_leader():
            for relation in self.relations:
                self._look_at(relation)

    def _look_at(self, relation: ops.Relation, unit: ops.Unit | None = None) -> None:
        asked = self.requests_of(relation)
        said = self.responses_of(relation)
        gone = [r.request_id for r in _released(asked, said)]
        if gone:
            self.on.released.emit(relation, app=relation.app, unit=unit, request_ids=gone)
        if _has_open(asked, said):
            self.on.changed.emit(relation, app=relation.app, unit=unit)
        if asked.problems or said.statuses:
            self._write(self._draft(relation))

    @property
    def is_leaving(self) -> bool:
        """Whether this unit is being removed.

        Its relations break one after the other then, although they go on for the other units.
        What it sees of them is no reason to take anything back.
        """
        return bool(self._stored.leaving)

    def _on_departed(self, event: ops.RelationDepartedEvent) -> None:
        if event.departing_unit == self._charm.unit:
            self._stored.leaving = True

    def _on_broken(self, event: ops.RelationBrokenEvent) -> None:
        if self.is_leaving or not self._charm.unit.is_leader():
            return
        self.on.released.emit(event.relation, app=event.app, unit=event.unit)
        self.withdraw(event.relation.id)
        self._certificates.drop_key(event.relation, event.app)

    # Writing.

    def _draft(self, relation: ops.Relation) -> _Draft:
        """What the databag says now, without the answers to requests that are gone."""
        asked = self.requests_of(relation)
        said = self.responses_of(relation)
        gone = {response.request_id for response in _released(asked, said)}
        kept = {r.request_id: r for r in said.responses if r.request_id not in gone}
        return _Draft(relation, asked, kept)

    def _grant(
        self,
        draft: _Draft,
        request: AccessRequest,
        access: Access,
        said: Sequence[RelationStatus],
    ) -> None:
        old = draft.responses.get(request.request_id, Response(""))
        secret_user = old.secret_user
        if access.password:
            user = {"username": access.username, "password": access.password}
            secret_user = self._secrets.ensure(
                draft.relation, request.request_id, "user", old, user
            )
        response = Response(
            resource=str(request.prefix),
            request_id=request.request_id,
            salt=request.salt or old.salt or self._salt(draft.relation),
            secret_user=secret_user,
            secret_tls=old.secret_tls,
            tls_digest=old.tls_digest,
            database=access.database,
            options=access.options,
            asked=request.digest,
            statuses=tuple(said),
            alias=request.alias,
            extra=old.extra,
        )
        if not response.secret_tls:
            uri = self._secrets.ensure(
                draft.relation, request.request_id, "tls", old, access.topology.tls_secret
            )
            response = response._replace(secret_tls=uri, tls_digest=access.topology.tls_digest)
        draft.responses[request.request_id] = self._with_topology(response, access.topology)

    def _with_topology(self, response: Response, topology: Topology) -> Response:
        if not response.is_granted:
            return response
        if response.secret_tls and response.tls_digest != topology.tls_digest:
            self.model.get_secret(id=response.secret_tls).set_content(topology.tls_secret)
        return response._replace(topology=topology, tls_digest=topology.tls_digest)

    def _write(self, draft: _Draft) -> bool:
        """Bring a databag up to date; says whether anything had to be written."""
        bag = draft.relation.data[self.model.app]
        asked = draft.requests
        if asked is None:
            wire = wire_of(bag)
            spoken = read_responses(bag).statuses
        else:
            # A format that nobody knows, or a text that nobody can read, is no reason to answer in
            # another format than before: the requirer would find nothing.
            before = read_responses(bag)
            is_read = asked.is_complete or asked.requests or not before.responses
            wire = asked.wire if is_read else before.wire
            said = [status for r in draft.responses.values() for status in r.statuses]
            spoken = tuple(statuses.merge([*asked.problems, *said]))
        notes: Mapping[str, Any] = read_responses(bag).notes if wire == wire_of(bag) else {}
        responses = Responses(wire, tuple(draft.responses.values()), spoken, notes=notes)
        old: Mapping[str, str] = dict(bag)
        if not old and not responses.responses and not spoken:
            return False
        changes = write_responses(wire, responses, old)
        bag.update(changes)
        return bool(changes)

    def _salt(self, relation: ops.Relation) -> str:
        """A v0 requirer sends no salt, yet expects one: any stable text will do."""
        return request_key(f"{self.model.uuid}.{self.endpoint}.{relation.id}")[:16]


def _released(asked: Requests, said: Responses) -> list[Response]:
    """Answers to requests that are gone; none while the requirer's databag is damaged.

    A requirer that was upgraded from one format to the other asks anew.
    """
    if not asked.is_complete:
        return []
    wanted = {request.request_id for request in asked.requests} if said.wire == asked.wire else ()
    return [response for response in said.responses if response.request_id not in wanted]


def _has_open(asked: Requests, said: Responses) -> bool:
    """Whether some request has not been answered as it stands."""
    if said.wire != asked.wire:
        return bool(asked.requests)
    answers = {response.request_id: response for response in said.responses}
    return any(
        not (answer := answers.get(request.request_id)) or not answer.answers(request)
        for request in asked.requests
    )
