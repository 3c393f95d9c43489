"""The provider's side of the relation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ops

from ._certificate_receiver import CertificateReceiver, RequestCertificate
from ._draft import has_open, released
from ._events import ValkeyProviderEvents
from ._juju import require_secrets
from ._provider_responses import Grant, ProviderResponse, Refusal, Withdrawal
from ._publisher import Publisher
from ._revisions import remove_revision
from .databag import Requests, Responses
from .messages import Access, AccessRequest, RelationStatus, Topology


class ValkeyProvider(ops.Object):
    """Answers the requirers on one endpoint, in the format that each of them chose.

    The methods that write are for the leader. They write only what differs, each databag in one
    call. What was granted is read from the provider's databag, so that nothing depends on an
    earlier hook.

    This class owns the two secrets of a request. It grants them before the databag has their URIs,
    and removes them with the request. It removes their revisions when nobody reads them any more.

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
        self._publisher = Publisher(charm.model, endpoint)
        self._certificates = CertificateReceiver(charm.model, endpoint)
        self._stored.set_default(leaving=False)
        self.framework.observe(charm.on[endpoint].relation_created, self._on_created)
        self.framework.observe(charm.on[endpoint].relation_changed, self._on_changed)
        self.framework.observe(charm.on[endpoint].relation_broken, self._on_broken)
        for name in charm.meta.relations:
            self.framework.observe(charm.on[name].relation_departed, self._on_departed)
        # Events that came to another leader, or to this unit before it was one.
        self.framework.observe(charm.on.leader_elected, self._on_every_relation)
        self.framework.observe(charm.on.upgrade_charm, self._on_every_relation)
        self.framework.observe(charm.on.secret_changed, self._on_secret_changed)
        self.framework.observe(charm.on.secret_remove, self._on_secret_remove)

    # Reading.

    @property
    def relations(self) -> list[ops.Relation]:
        """The relations on the endpoint, without one that is just breaking."""
        return self._publisher.relations

    @property
    def requests(self) -> tuple[AccessRequest, ...]:
        """The requests of all relations. Reads one databag for each relation."""
        return tuple(
            request
            for relation in self.relations
            for request in self.requests_of(relation).requests
        )

    def requests_of(self, relation: ops.Relation) -> Requests:
        """The requests of one relation. Reads one databag."""
        return self._publisher.requests_of(relation)

    def responses_of(self, relation: ops.Relation) -> Responses:
        """What is published to one relation. Reads one databag."""
        return self._publisher.responses_of(relation)

    def certificate_of(self, request: AccessRequest) -> RequestCertificate:
        """The certificate of a requirer's clients, or its CA.

        Reads a secret of the requirer; its next revision emits ``changed``. The charm decides
        whether to trust the certificate. Never raises on what a requirer did.
        """
        return self._certificates.read(request)

    # Writing.

    def respond(
        self, responses: Iterable[ProviderResponse], *, topology: Topology | None = None
    ) -> list[int]:
        """Publish any number of responses; each databag is written once, if it changes.

        The order of the responses does not matter: withdrawals come first, then grants, notices
        and refusals. A secret exists and is granted before a databag names it. For a relation
        that has ended, withdrawals remove the secrets and the rest is left out.

        Args:
            responses: Grants, refusals, notices and withdrawals.
            topology: Where the service is now, for everything that was granted on any relation.
                For a relation without another response only this side's databag is read.

        Returns:
            Ids of the relations whose databag changed.
        """
        return self._publisher.respond(responses, topology)

    def publish(
        self, request: AccessRequest, access: Access, statuses: Sequence[RelationStatus] = ()
    ) -> None:
        """Grant a request; see :class:`.Grant`."""
        self.respond([Grant(request, access, tuple(statuses))])

    def reject(self, request: AccessRequest, status: RelationStatus) -> None:
        """Refuse a request; see :class:`.Refusal`."""
        self.respond([Refusal(request, status)])

    def withdraw(self, relation_id: int, request_ids: Iterable[str] | None = None) -> None:
        """Remove the responses and secrets of requests; see :class:`.Withdrawal`.

        Args:
            relation_id: The relation.
            request_ids: The requests, none if empty; all that have a response if None.
        """
        if request_ids is None:
            request_ids = self._publisher.request_ids(relation_id)
        self.respond([Withdrawal(relation_id, tuple(request_ids))])

    def update(self, topology: Topology) -> list[int]:
        """Tell every requirer that was granted something where the service is now.

        Reads this side's databags only, so it costs no more than the writes it has to make.

        Returns:
            Ids of the relations whose databag changed.
        """
        return self.respond((), topology=topology)

    # Events.

    def _on_changed(self, event: ops.RelationChangedEvent) -> None:
        if self._charm.unit.is_leader():
            self._compare(event.relation, event.unit)

    def _on_created(self, event: ops.RelationCreatedEvent) -> None:
        """Let a requirer in another model send a certificate; see :mod:`._mtls`."""
        if self._charm.unit.is_leader():
            self._certificates.offer_key(event.relation, event.app)

    def _on_secret_changed(self, event: ops.SecretChangedEvent) -> None:
        """A requirer has a new certificate."""
        relation_id = self._certificates.relation_of(event.secret)
        for relation in self.relations if relation_id else ():
            if str(relation.id) == relation_id and self._charm.unit.is_leader():
                self.on.changed.emit(relation, app=relation.app)

    def _on_secret_remove(self, event: ops.SecretRemoveEvent) -> None:
        if remove_revision(event, self.endpoint):
            self.on.revision_removed.emit(event.secret.label or "", event.revision)

    def _on_every_relation(self, _: ops.EventBase) -> None:
        if self._charm.unit.is_leader():
            for relation in self.relations:
                self._compare(relation)

    def _compare(self, relation: ops.Relation, unit: ops.Unit | None = None) -> None:
        requests, published = self.requests_of(relation), self.responses_of(relation)
        gone = [response.request_id for response in released(requests, published)]
        if gone:
            self.on.released.emit(relation, app=relation.app, unit=unit, request_ids=gone)
        if has_open(requests, published):
            self.on.changed.emit(relation, app=relation.app, unit=unit)
        if requests.problems or published.statuses:
            self._publisher.write_statuses(relation)

    @property
    def is_leaving(self) -> bool:
        """Whether this unit is being removed.

        Then its relations break one after the other, although they continue on other units: no
        reason to withdraw anything.
        """
        return bool(self._stored.leaving)

    def _on_departed(self, event: ops.RelationDepartedEvent) -> None:
        if event.departing_unit == self._charm.unit:
            self._stored.leaving = True

    def _on_broken(self, event: ops.RelationBrokenEvent) -> None:
        if self.is_leaving or not self._charm.unit.is_leader():
            return
        request_ids = self._publisher.request_ids(event.relation.id)
        self.on.released.emit(
            event.relation, app=event.app, unit=event.unit, request_ids=request_ids, is_all=True
        )
        self.withdraw(event.relation.id, request_ids)
        self._certificates.drop_key(event.relation, event.app)
