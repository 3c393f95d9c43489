"""The requirer's end of the relation."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import cast

import ops

from . import messages
from ._certificate_sender import CertificateSender
from ._juju import require_secrets
from .databag import Responses, read_responses, v0, v1
from .errors import RequestError
from .events import ValkeyRequirerEvents
from .messages import Access, AccessRequest, RelationStatus, Response, Topology, Wire
from .options import RequestOptions
from .prefix import KeyPrefix

logger = logging.getLogger(__name__)


class ValkeyRequirer(ops.Object):
    """Asks for a part of Valkey and says what came of it.

    Any change of any published field or secret emits one event on each unit. What a unit has
    seen is kept on that unit, so that noticing a change wakes nobody else.

    Args:
        charm: The charm.
        endpoint: The name of the endpoint in the charm's metadata.
        prefix: The range of keys and channels, such as ``application:*``; several of them for
            several accounts over one relation.
        wire: ``v1``, or ``v0`` for a provider that knows nothing else.
        channel_patterns: Patterns to subscribe to, such as ``application:room.*``; each goes with
            the prefix in which it lies.
        keyspace_events: Whether to be told of changes to the keys.
        scan: Whether SCAN is needed; see :class:`RequestOptions`.
        own_database: Whether a database of the application's own is needed.
        client_certificate: The certificate that the application's clients show where there is
            TLS, with those between it and its CA and the CA, as PEM; or the CA alone; or a
            callable that returns it, and nothing as long as there is none. Never a private key.
            Call :meth:`ask` when it has changed.

    The four before the last are additions to the contract: a provider that does not know them
    ignores them. What was given stands in :attr:`Access.options` and :attr:`Access.database`.
    What the provider thinks of the certificate stands in :attr:`statuses`; the access is given
    in any case.

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
            raise RequestError("name one prefix or several different ones")
        self._options = RequestOptions(
            tuple(channel_patterns), keyspace_events, scan, own_database
        ).for_each(self._prefixes)
        has_options = any(options.fields for options in self._options.values())
        if wire == "v0" and (len(self._prefixes) > 1 or has_options or client_certificate):
            raise RequestError("a v0 relation carries one prefix and no further fields")
        self._charm = charm
        self.endpoint = endpoint
        self._wire: Wire = wire
        self._certificates = CertificateSender(charm.model, endpoint, client_certificate)
        self._seen.set_default(accesses={}, refusals={}, certificates={}, leaving=False)
        self._contents: dict[str, dict[str, str]] = {}  # of secrets read in this hook, by label
        events = charm.on[endpoint]
        for source in (
            events.relation_created,
            charm.on.leader_elected,
            charm.on.upgrade_charm,
            charm.on.config_changed,
        ):
            self.framework.observe(source, self._on_occasion_to_ask)
        self.framework.observe(events.relation_changed, self._on_changed)
        self.framework.observe(events.relation_broken, self._on_broken)
        if self._certificates.is_given:
            for name in charm.meta.relations:
                self.framework.observe(charm.on[name].relation_departed, self._on_departed)
        self.framework.observe(charm.on.secret_changed, self._on_secret_changed)
        self.framework.observe(charm.on.update_status, self._on_update_status)

    # What came of it.

    @property
    def relations(self) -> list[ops.Relation]:
        """The relations on the endpoint, without one that is just breaking."""
        return [r for r in self.model.relations[self.endpoint] if r.active]

    @property
    def access(self) -> Access | None:
        """The access to the first prefix, or None as long as it cannot be used."""
        return self.access_to(str(self._prefixes[0]))

    def access_to(self, prefix: str) -> Access | None:
        """The access to one of several prefixes, or None as long as it cannot be used.

        With more than one relation on the endpoint, the oldest one that grants it counts.
        """
        for relation in self.relations:
            request = self._request(relation, prefix)
            response = self._responses(relation).get(request.request_id)
            if response is not None and (access := self._read(relation, request, response)):
                return access
        return None

    @property
    def statuses(self) -> tuple[RelationStatus, ...]:
        """What the providers say, worst first."""
        found = {s for relation in self.relations for s in self._said(relation).statuses}
        return tuple(sorted(found, key=lambda status: (-status.code, status.message)))

    @property
    def status(self) -> ops.StatusBase:
        """A status for ``collect-status``: active as soon as every prefix can be used.

        It reads no secret.
        """
        if not self.relations:
            return ops.BlockedStatus(f"integrate {self.endpoint} with a Valkey provider")
        if all(self._is_granted(prefix) for prefix in self._prefixes):
            return ops.ActiveStatus()
        for status in self.statuses:
            if status.needs_a_person:
                text = f"{self.endpoint}: {status.message}. {status.resolution}"
                return ops.BlockedStatus(text.strip())
        said = "; ".join(s.message for s in self.statuses if not s.is_informational)
        return ops.WaitingStatus(f"{self.endpoint}: {said or 'waiting for the provider'}")

    def _is_granted(self, prefix: KeyPrefix) -> bool:
        return any(
            _is_complete(self._responses(r).get(self._request(r, str(prefix)).request_id))
            for r in self.relations
        )

    # Asking.

    def ask(self) -> None:
        """Bring what is asked for up to date, as the leader.

        This happens by itself when the relation or a leader is new, the charm is upgraded or
        configured. Call it when ``client_certificate`` has changed.

        Raises:
            RequestError: If the certificate cannot be sent.
        """
        for relation in self.relations:
            self._ask(relation)

    def _on_occasion_to_ask(self, event: ops.EventBase) -> None:
        if isinstance(event, ops.RelationCreatedEvent):
            self._ask(event.relation)
            return
        self.ask()

    def _on_update_status(self, _: ops.EventBase) -> None:
        """What could not be used when it was published may be usable now."""
        if self._certificates.is_given:
            try:
                self.ask()
            except RequestError as error:  # The charm was told of it when it asked.
                logger.warning("%s: %s", self.endpoint, error)
        for relation in self.relations:
            said = self._said(relation)
            found = {response.request_id: response for response in said.responses}
            for prefix in self._prefixes if said.is_complete else ():
                request = self._request(relation, str(prefix))
                self._notice(relation, request, found.get(request.request_id))

    def _ask(self, relation: ops.Relation) -> None:
        """Write the requests of this application, unless they are there already."""
        if not self._charm.unit.is_leader():
            return
        requests = [self._request(relation, str(prefix)) for prefix in self._prefixes]
        bag = relation.data[self.model.app]
        if self._wire == "v1":
            requests, shown = self._certificates.add_to(relation, requests, bag)
            wanted = v1.write_requests(requests) | shown
            stale = v0.REQUIRER_KEYS - v1.REQUIRER_KEYS
        else:
            wanted = v0.write_requests(requests[0])
            stale = v1.REQUIRER_KEYS - v0.REQUIRER_KEYS
        changes = {key: value for key, value in wanted.items() if bag.get(key) != value}
        changes.update({key: "" for key in stale if key in bag})
        if changes:
            bag.update(changes)
            if self._wire == "v0":
                secrets = wanted["requested-secrets"]
                relation.data[self._charm.unit].update({"requested-secrets": secrets})

    def _request(self, relation: ops.Relation, prefix: str) -> AccessRequest:
        """The request for a prefix: the same text whoever leads, so that it is asked once."""
        if self._wire == "v0":
            return AccessRequest(KeyPrefix.parse(prefix), wire="v0")
        salt = messages.request_salt(
            self.model.uuid, self.model.app.name, self.endpoint, relation.id, prefix
        )
        parsed = KeyPrefix.parse(prefix)
        return AccessRequest(
            parsed,
            request_id=messages.request_id(prefix, salt),
            salt=salt,
            options=self._options.get(parsed, RequestOptions()),
        )

    # Reading.

    def _said(self, relation: ops.Relation) -> Responses:
        try:
            return read_responses(relation.data[relation.app])
        except (ops.ModelError, KeyError):
            return Responses("v0", is_complete=False)

    def _responses(self, relation: ops.Relation) -> dict[str, Response]:
        return {r.request_id: r for r in self._said(relation).responses}

    def _read(
        self, relation: ops.Relation, request: AccessRequest, response: Response
    ) -> Access | None:
        """Put an access together; None if a secret cannot be read or lacks what it must hold."""
        if not _is_complete(response):
            return None
        user = self._secret(relation, response, "user")
        tls = self._certificate(relation, request, response) if response.secret_tls else {}
        if not user.get("username") or "password" not in user:
            return None
        if response.secret_tls and "tls" not in tls:
            return None
        shown = response.topology
        topology = Topology(
            endpoints=shown.endpoints,
            read_only_endpoints=shown.read_only_endpoints,
            sentinel_endpoints=shown.sentinel_endpoints,
            version=shown.version,
            mode=shown.mode,
            primary_name=shown.primary_name,
            tls=tls.get("tls", "").lower() == "true",
            tls_ca=tls.get("tls-ca", ""),
        )
        return Access(
            str(request.prefix),
            user["username"],
            user["password"],
            topology,
            response.database,
            response.options,
        )

    def _secret(self, relation: ops.Relation, response: Response, group: str) -> dict[str, str]:
        uri = response.secret_user if group == "user" else response.secret_tls
        label = messages.secret_label(self.endpoint, relation.id, response.request_id, group)
        if label not in self._contents:
            try:
                self._contents[label] = self.model.get_secret(id=uri, label=label).get_content()
            except ops.ModelError as error:
                logger.warning("relation %d: %s cannot be read yet: %s", relation.id, label, error)
                return {}
        return self._contents[label]

    def _certificate(
        self, relation: ops.Relation, request: AccessRequest, response: Response
    ) -> dict[str, str]:
        """What ``secret-tls`` holds. It is public, so that it can be kept from hook to hook.

        Juju would say the same until this unit asks for a newer revision, which
        :meth:`_on_secret_changed` does.
        """
        key = f"{relation.id}/{request.prefix}"
        known = self._recall("certificates", key)
        if known is None or known.pop("uri") != response.secret_tls:
            known = self._secret(relation, response, "tls")
            if known:
                self._remember("certificates", key, {**known, "uri": response.secret_tls})
        return known

    # Noticing.

    def _on_changed(self, event: ops.RelationChangedEvent) -> None:
        self._contents.clear()
        said = self._said(event.relation)
        found = {response.request_id: response for response in said.responses}
        requests = [self._request(event.relation, str(prefix)) for prefix in self._prefixes]
        is_open = any(request.request_id not in found for request in requests)
        if is_open or self._has_new_key(event.relation):
            # What was answered has been asked: this side's own databag is not read for it.
            self._ask(event.relation)
        if not said.is_complete:
            logger.warning("relation %d: the provider's databag is damaged", event.relation.id)
            return
        for request in requests:
            self._notice(event.relation, request, found.get(request.request_id), event.unit)
        self._forget_others(event)
        self._notice_refusals(event, said.statuses)

    def _has_new_key(self, relation: ops.Relation) -> bool:
        return (
            self._certificates.is_given
            and self._charm.unit.is_leader()
            and self._certificates.has_new_key(relation)
        )

    def _forget_others(self, event: ops.RelationEvent) -> None:
        """A prefix that this charm no longer asks for is gone at once."""
        asked_for = {f"{event.relation.id}/{prefix}" for prefix in self._prefixes}
        self._let_go(event, asked_for)

    def _let_go(self, event: ops.RelationEvent, kept: Collection[str] = ()) -> None:
        mine = f"{event.relation.id}/"
        for key in [k for k in self._all("accesses") if k.startswith(mine) and k not in kept]:
            self._remember("accesses", key, None)
            self._remember("certificates", key, None)
            prefix = key.removeprefix(mine)
            self.on.gone.emit(event.relation, app=event.app, unit=event.unit, prefix=prefix)

    def _notice(
        self,
        relation: ops.Relation,
        request: AccessRequest,
        response: Response | None,
        unit: ops.Unit | None = None,
    ) -> None:
        """Compare what is published with what this unit has seen, and say the difference."""
        key = f"{relation.id}/{request.prefix}"
        seen = self._recall("accesses", key)
        now = _summary(response)
        if seen == now:
            return
        secrets = ("password", "tls")
        is_new = seen is None or (now and any(now[name] != seen.get(name) for name in secrets))
        if is_new and response is not None and not self._read(relation, request, response):
            # The secrets cannot be read yet; the next event of any kind tries again.
            return
        self._remember("accesses", key, now)
        source = {"app": relation.app, "unit": unit, "prefix": str(request.prefix)}
        if now is None:
            self.on.gone.emit(relation, **source)
        elif seen is None:
            self.on.ready.emit(relation, **source)
        else:
            fields = {field for field in now | seen if now.get(field) != seen.get(field)}
            self.on.changed.emit(relation, **source, fields=fields)

    def _notice_refusals(
        self, event: ops.RelationEvent, statuses: Iterable[RelationStatus]
    ) -> None:
        key = str(event.relation.id)
        refusals = [s for s in statuses if s.needs_a_person]
        now = {str(status.code): status.message for status in refusals} or None
        seen = self._recall("refusals", key)
        if seen == now:
            return
        self._remember("refusals", key, now)
        for status in refusals:
            if (seen or {}).get(str(status.code)) != status.message:
                self.on.rejected.emit(
                    event.relation, app=event.app, unit=event.unit, status=status
                )

    def _on_secret_changed(self, event: ops.SecretChangedEvent) -> None:
        """A password or certificate changed: read it, so that ``access`` has it, and say so."""
        parts = (event.secret.label or "").split(".")
        if len(parts) < 4 or parts[0] != self.endpoint or parts[-1] != "secret":
            return
        relation = next((r for r in self.relations if str(r.id) == parts[1]), None)
        if relation is None:
            return
        for prefix in self._prefixes:
            request = self._request(relation, str(prefix))
            if request.key == ".".join(parts[2:-2]):
                if parts[-2] == "tls":
                    self._remember("certificates", f"{relation.id}/{prefix}", None)
                try:
                    self._contents = {
                        event.secret.label or "": event.secret.get_content(refresh=True)
                    }
                except ops.ModelError as error:
                    # It was taken back meanwhile; the relation will say so.
                    logger.warning("%s cannot be read any more: %s", event.secret.label, error)
                    return
                fields = ("password",) if parts[-2] == "user" else ("tls", "tls-ca")
                self.on.changed.emit(relation, app=relation.app, prefix=str(prefix), fields=fields)

    def _on_departed(self, event: ops.RelationDepartedEvent) -> None:
        """Relations of a unit that is removed break on it, and go on for the others."""
        if event.departing_unit == self._charm.unit:
            self._seen.leaving = True

    def _on_broken(self, event: ops.RelationBrokenEvent) -> None:
        self._remember("refusals", str(event.relation.id), None)
        self._let_go(event)
        is_over = not self._seen.leaving and self._charm.unit.is_leader()
        if self._certificates.is_given and is_over:
            asked = [self._request(event.relation, str(prefix)) for prefix in self._prefixes]
            self._certificates.take_back(event.relation, (r.request_id for r in asked))

    # What this unit has seen: certificates and URIs, never a password.

    def _all(self, kind: str) -> dict[str, dict[str, str]]:
        return cast("dict[str, dict[str, str]]", getattr(self._seen, kind))

    def _recall(self, kind: str, key: str) -> dict[str, str] | None:
        found = self._all(kind).get(key)
        return None if found is None else dict(found)

    def _remember(self, kind: str, key: str, value: dict[str, str] | None) -> None:
        if value is None:
            self._all(kind).pop(key, None)
        else:
            self._all(kind)[key] = value


def _is_complete(response: Response | None) -> bool:
    return response is not None and response.is_granted and bool(response.topology.endpoints)


def _summary(response: Response | None) -> dict[str, str] | None:
    """What of a response makes an event when it changes; None as long as it cannot be used."""
    if response is None or not _is_complete(response):
        return None
    topology = response.topology
    return {
        "endpoints": messages.format_endpoints(topology.endpoints),
        "read-only-endpoints": messages.format_endpoints(topology.read_only_endpoints),
        "sentinel-endpoints": messages.format_endpoints(topology.sentinel_endpoints),
        "version": topology.version,
        "mode": topology.mode,
        "primary-name": topology.primary_name,
        "database": str(response.database),
        **{name: str(value) for name, value in response.options.fields.items()},
        "password": response.secret_user,
        "tls": response.secret_tls,
    }
