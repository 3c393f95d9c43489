"""The requirer's side of the relation."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence

import ops

from ._access_reader import AccessReader, event_fields, is_usable, memory_key
from ._certificate_sender import CertificateSender
from ._errors import RequestError
from ._events import ValkeyRequirerEvents
from ._juju import require_secrets
from ._memory import Memory
from ._prefix import KeyPrefix
from ._request_writer import RequestWriter
from ._revisions import remove_revision
from .messages import Access, AccessRequest, RelationStatus, Response, Wire
from .options import RequestOptions

logger = logging.getLogger(__name__)


class ValkeyRequirer(ops.Object):
    """Requests a part of Valkey and reads what the provider grants.

    Each change of a published field or secret emits one event on each unit. A unit keeps what it
    has seen in its own stored state, which wakes no other unit.

    Args:
        charm: The charm.
        endpoint: The name of the endpoint in the charm's metadata.
        prefix: The range of keys and channels, such as ``application:*``; several of them for
            several accounts over one relation.
        wire: ``v1``, or ``v0`` for a provider that supports nothing else.
        channel_patterns: Patterns to subscribe to, such as ``application:room.*``; each is part of
            the request for the prefix that it begins with.
        keyspace_events: Whether to receive changes to the keys.
        scan: Whether SCAN is needed; see :class:`RequestOptions`.
        own_database: Whether the application needs its own database.
        client_certificate: The certificate of the application's clients for TLS, with its
            intermediates and its CA, as PEM; or the CA only; or a callable that returns one of
            these, or nothing while there is none. Never a private key. Call :meth:`ask` when it
            has changed.

    ``channel_patterns``, ``keyspace_events``, ``scan`` and ``own_database`` are additions to the
    contract: a provider that does not know them ignores them. :attr:`Access.options` and
    :attr:`Access.database` say what was granted. A provider that refuses the certificate says so
    in :attr:`statuses`, and grants the access all the same.

    Raises:
        PrefixError: If a prefix or a channel pattern breaks the grammar.
        RequestError: If the prefixes cannot be asked for together.
        SecretsUnsupportedError: If the model's Juju has no secrets (contract, *Behavior*).
    """

    on = ValkeyRequirerEvents()  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride]
    _seen = ops.StoredState()

    def __init__(
        self,
        charm: ops.CharmBase,
        endpoint: str,
        prefix: str | Sequence[str],
        *,
        wire: Wire = "v1",
        channel_patterns: Sequence[str] = (),
        keyspace_events: bool = False,
        scan: bool = False,
        own_database: bool = False,
        client_certificate: str | Callable[[], str] = "",
    ):
        super().__init__(charm, f"valkey-requirer-{endpoint}")
        require_secrets(charm.model, endpoint)
        texts = (prefix,) if isinstance(prefix, str) else tuple(prefix)
        self._prefixes = tuple(KeyPrefix.parse(text) for text in texts)
        if not self._prefixes or len(set(self._prefixes)) < len(self._prefixes):
            raise RequestError(f"endpoint {endpoint}: name one prefix, or several different ones")
        options = RequestOptions(
            tuple(channel_patterns), keyspace_events, scan, own_database
        ).for_each(self._prefixes)
        has_fields = any(option.fields for option in options.values())
        if wire == "v0" and (len(self._prefixes) > 1 or has_fields or client_certificate):
            raise RequestError(
                f"endpoint {endpoint}: v0 allows one prefix and no options; use wire='v1'"
            )
        self._charm = charm
        self.endpoint = endpoint
        self._certificates = CertificateSender(charm.model, endpoint, client_certificate)
        self._writer = RequestWriter(charm.model, endpoint, options, wire, self._certificates)
        self._memory = Memory(self._seen)
        self._reader = AccessReader(charm.model, endpoint, self._memory)
        events = charm.on[endpoint]
        for source in (
            events.relation_created,
            charm.on.leader_elected,
            charm.on.upgrade_charm,
            charm.on.config_changed,
        ):
            self.framework.observe(source, self._on_reason_to_ask)
        self.framework.observe(events.relation_changed, self._on_changed)
        self.framework.observe(events.relation_broken, self._on_broken)
        if self._certificates.has_source:
            for name in charm.meta.relations:
                self.framework.observe(charm.on[name].relation_departed, self._on_departed)
        self.framework.observe(charm.on.secret_changed, self._on_secret_changed)
        self.framework.observe(charm.on.secret_remove, self._on_secret_remove)
        self.framework.observe(charm.on.update_status, self._on_update_status)

    # Reading.

    @property
    def relations(self) -> list[ops.Relation]:
        """The relations on the endpoint, without one that is just breaking."""
        return [r for r in self.model.relations[self.endpoint] if r.active]

    @property
    def access(self) -> Access | None:
        """The access to the first prefix; None while it cannot be used."""
        return self.access_to(str(self._prefixes[0]))

    def access_to(self, prefix: str) -> Access | None:
        """The access to one of several prefixes; None while it cannot be used.

        With several relations on the endpoint, the oldest one that grants it is used.
        """
        for relation in self.relations:
            request = self._writer.request(relation, prefix)
            response = self._reader.response_to(relation, request)
            if response and (access := self._reader.read(relation, request, response)):
                return access
        return None

    @property
    def statuses(self) -> tuple[RelationStatus, ...]:
        """The statuses that providers published, most severe first."""
        statuses = {s for r in self.relations for s in self._reader.responses_of(r).statuses}
        return tuple(sorted(statuses, key=lambda status: (-status.code, status.message)))

    @property
    def status(self) -> ops.StatusBase:
        """A status for ``collect-status``: active when every prefix can be used.

        Reads no secret.
        """
        if not self.relations:
            return ops.BlockedStatus(f"integrate {self.endpoint} with a Valkey provider")
        if all(self._is_granted(prefix) for prefix in self._prefixes):
            return ops.ActiveStatus()
        for status in self.statuses:
            if status.needs_a_person:
                text = f"{self.endpoint}: {status.message}. {status.resolution}"
                return ops.BlockedStatus(text.strip())
        reasons = "; ".join(s.message for s in self.statuses if not s.is_informational)
        return ops.WaitingStatus(f"{self.endpoint}: {reasons or 'waiting for the provider'}")

    def _is_granted(self, prefix: KeyPrefix) -> bool:
        return any(
            is_usable(self._reader.response_to(r, self._writer.request(r, str(prefix))))
            for r in self.relations
        )

    # Asking.

    def ask(self) -> None:
        """Bring the requests up to date, if this unit is the leader.

        This happens by itself for a new relation or leader, an upgrade and a change of the
        configuration. Call it when ``client_certificate`` has changed.

        Raises:
            RequestError: If the certificate cannot be sent.
        """
        for relation in self.relations:
            self._ask(relation)

    def _on_reason_to_ask(self, event: ops.EventBase) -> None:
        if isinstance(event, ops.RelationCreatedEvent):
            self._ask(event.relation)
            return
        self.ask()

    def _on_update_status(self, _: ops.EventBase) -> None:
        """A secret that could not be read may be readable now."""
        if self._certificates.has_source:
            try:
                self.ask()
            except RequestError as error:  # The charm got it when it called ask().
                logger.warning("%s: %s", self.endpoint, error)
        for relation in self.relations:
            published = self._reader.responses_of(relation)
            responses = {response.request_id: response for response in published.responses}
            for request in self._writer.requests(relation) if published.is_complete else ():
                self._notice(relation, request, responses.get(request.request_id))

    def _ask(self, relation: ops.Relation) -> None:
        if self._charm.unit.is_leader():
            self._writer.write(relation)

    # Noticing.

    def _on_changed(self, event: ops.RelationChangedEvent) -> None:
        self._reader.clear()
        relation = event.relation
        published = self._reader.responses_of(relation)
        responses = {response.request_id: response for response in published.responses}
        requests = self._writer.requests(relation)
        is_open = any(request.request_id not in responses for request in requests)
        if is_open or self._has_new_key(relation):
            # A request that has a response was sent: then this side's databag is not read.
            self._ask(relation)
        if not published.is_complete:
            logger.warning("%s (relation %d): malformed databag", event.app.name, relation.id)
            return
        for request in requests:
            self._notice(relation, request, responses.get(request.request_id), event.unit)
        self._drop(event, kept={memory_key(relation, str(prefix)) for prefix in self._prefixes})
        self._notice_refusals(event, published.statuses)

    def _has_new_key(self, relation: ops.Relation) -> bool:
        return (
            self._certificates.has_source
            and self._charm.unit.is_leader()
            and self._certificates.has_new_key(relation)
        )

    def _drop(self, event: ops.RelationEvent, kept: Collection[str] = ()) -> None:
        """Forget the accesses of a relation, except some."""
        relation = event.relation
        for key in self._memory.accesses.keys_of(relation.id):
            if key not in kept:
                self._memory.accesses.remove(key)
                self._memory.certificates.remove(key)
                prefix = key.partition("/")[2]
                self.on.gone.emit(relation, app=event.app, unit=event.unit, prefix=prefix)

    def _notice(
        self,
        relation: ops.Relation,
        request: AccessRequest,
        response: Response | None,
        unit: ops.Unit | None = None,
    ) -> None:
        """Compare what is published with what this unit has seen; emit the difference."""
        key = memory_key(relation, str(request.prefix))
        before, now = self._memory.accesses.get(key), event_fields(response)
        if before and now:
            # Earlier releases did not keep it.
            before.setdefault("username", now["username"])
        if before == now:
            return
        secrets = ("password", "tls")
        is_new = before is None or (now and any(now[n] != before.get(n) for n in secrets))
        if is_new and response and not self._reader.read(relation, request, response):
            # A secret cannot be read yet; the next event of any kind tries again.
            return
        source = {"app": relation.app, "unit": unit, "prefix": str(request.prefix)}
        if now is None:
            self._memory.accesses.remove(key)
            self.on.gone.emit(relation, **source)
            return
        self._memory.accesses.set(key, now)
        if before is None:
            self.on.ready.emit(relation, **source)
        else:
            fields = {name for name in now | before if now.get(name) != before.get(name)}
            self.on.changed.emit(relation, **source, fields=fields)

    def _notice_refusals(
        self, event: ops.RelationEvent, statuses: Iterable[RelationStatus]
    ) -> None:
        key = str(event.relation.id)
        refusals = [status for status in statuses if status.needs_a_person]
        now = {str(status.code): status.message for status in refusals}
        before = self._memory.refusals.get(key) or {}
        if before == now:
            return
        if now:
            self._memory.refusals.set(key, now)
        else:
            self._memory.refusals.remove(key)
        for status in refusals:
            if before.get(str(status.code)) == status.message:
                continue
            for prefix in self._refused_prefixes(event.relation, status):
                self.on.rejected.emit(
                    event.relation, app=event.app, unit=event.unit, prefix=prefix, status=status
                )

    def _refused_prefixes(self, relation: ops.Relation, status: RelationStatus) -> list[str]:
        """The prefixes that a status is about; one empty text if it does not concern a request.

        A status belongs to the whole relation; what it refuses has no response.
        """
        responses = {r.request_id: r for r in self._reader.responses_of(relation).responses}
        open_prefixes = [
            str(request.prefix)
            for request in self._writer.requests(relation)
            if not is_usable(responses.get(request.request_id))
        ]
        named = [prefix for prefix in open_prefixes if prefix in status.message]
        return named or open_prefixes or [""]

    def _on_secret_changed(self, event: ops.SecretChangedEvent) -> None:
        """Read the new password or certificate, so that ``access`` has it."""
        parts = (event.secret.label or "").split(".")
        if len(parts) < 4 or parts[0] != self.endpoint or parts[-1] != "secret":
            return
        relation = next((r for r in self.relations if str(r.id) == parts[1]), None)
        for request in self._writer.requests(relation) if relation else ():
            if relation is None or request.key != ".".join(parts[2:-2]):
                continue
            if parts[-2] == "tls":
                self._memory.certificates.remove(memory_key(relation, str(request.prefix)))
            if not self._reader.read_newest(event.secret):
                return
            fields = ("password",) if parts[-2] == "user" else ("tls", "tls-ca")
            prefix = str(request.prefix)
            self.on.changed.emit(relation, app=relation.app, prefix=prefix, fields=fields)

    def _on_secret_remove(self, event: ops.SecretRemoveEvent) -> None:
        """The provider has read a newer client certificate."""
        remove_revision(event, self.endpoint)

    def _on_departed(self, event: ops.RelationDepartedEvent) -> None:
        """The relations of a unit that is removed break there and go on for the other units."""
        if event.departing_unit == self._charm.unit:
            self._memory.note_leaving()

    def _on_broken(self, event: ops.RelationBrokenEvent) -> None:
        self._memory.refusals.remove(str(event.relation.id))
        self._drop(event)
        is_over = not self._memory.is_leaving and self._charm.unit.is_leader()
        if self._certificates.has_source and is_over:
            requests = self._writer.requests(event.relation)
            self._certificates.remove(event.relation, (r.request_id for r in requests))
