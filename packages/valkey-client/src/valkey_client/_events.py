"""The events of both ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import ops

from .messages import RelationStatus, account_name


class RequestsChangedEvent(ops.RelationEvent):
    """A requirer asked for something that it was not granted yet.

    :meth:`.ValkeyProvider.requests_of` returns its requests.
    """


class RequestsReleasedEvent(ops.RelationEvent):
    """Requests were withdrawn, or the relation ends.

    Drop the accounts of :attr:`usernames`, then call :meth:`.ValkeyProvider.withdraw` with
    :attr:`request_ids`.

    Attributes:
        request_ids: The requests that are gone and have a response: exactly these, also when the
            relation ends. ``("",)`` for that of a v0 relation.
        is_all: Whether the relation ends. Then nothing of it stays, also no account of a request
            that has no response yet. The library withdraws what is left after this event.
    """

    def __init__(
        self,
        handle: ops.Handle,
        relation: ops.Relation,
        app: ops.Application | None = None,
        unit: ops.Unit | None = None,
        request_ids: Sequence[str] = (),
        *,
        is_all: bool = False,
    ):
        super().__init__(handle, relation, app, unit)
        self.request_ids = tuple(request_ids)
        self.is_all = is_all

    @property
    def usernames(self) -> tuple[str, ...]:
        """:attr:`.AccessRequest.username` of each of :attr:`request_ids`, in their order."""
        return tuple(account_name(self.relation.id, request) for request in self.request_ids)

    def snapshot(self) -> dict[str, Any]:
        """For the framework."""
        fields = {"request-ids": list(self.request_ids), "is-all": self.is_all}
        return {**super().snapshot(), **fields}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """For the framework."""
        super().restore(snapshot)
        self.request_ids = tuple(snapshot["request-ids"])
        self.is_all = bool(snapshot.get("is-all", False))


class RevisionRemovedEvent(ops.EventBase):
    """Nobody reads a revision of a request's secret any more, and it was removed.

    All units of the requirer have read a newer one.

    Attributes:
        label: The label of the secret.
        revision: The number of the revision.
    """

    def __init__(self, handle: ops.Handle, label: str = "", revision: int = 0):
        super().__init__(handle)
        self.label = label
        self.revision = revision

    def snapshot(self) -> dict[str, Any]:
        """For the framework."""
        return {"label": self.label, "revision": self.revision}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """For the framework."""
        self.label = snapshot["label"]
        self.revision = snapshot["revision"]


class ValkeyProviderEvents(ops.ObjectEvents):
    """Events for the provider's charm."""

    changed = ops.EventSource(RequestsChangedEvent)
    released = ops.EventSource(RequestsReleasedEvent)
    revision_removed = ops.EventSource(RevisionRemovedEvent)


class AccessEvent(ops.RelationEvent):
    """An access to Valkey changed.

    Attributes:
        prefix: The prefix that was asked for.
        fields: What changed, with the names of the databags and secrets: ``endpoints``,
            ``password``, ``tls`` and so on. Empty unless this is a ``changed`` event.
        status: The provider's reason. None unless this is a ``rejected`` event.
    """

    def __init__(
        self,
        handle: ops.Handle,
        relation: ops.Relation,
        app: ops.Application | None = None,
        unit: ops.Unit | None = None,
        *,
        prefix: str = "",
        fields: Iterable[str] = (),
        status: RelationStatus | None = None,
    ):
        super().__init__(handle, relation, app, unit)
        self.prefix = prefix
        self.fields = frozenset(fields)
        self.status = status

    def snapshot(self) -> dict[str, Any]:
        """For the framework."""
        status = self.status and [self.status.code, self.status.message, self.status.resolution]
        fields = {"prefix": self.prefix, "fields": sorted(self.fields), "status": status}
        return {**super().snapshot(), **fields}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """For the framework."""
        super().restore(snapshot)
        self.prefix = snapshot["prefix"]
        self.fields = frozenset(snapshot["fields"])
        self.status = RelationStatus(*snapshot["status"]) if snapshot["status"] else None


class AccessReadyEvent(AccessEvent):
    """The access can be used."""


class AccessChangedEvent(AccessEvent):
    """A published field or secret has changed; see :attr:`AccessEvent.fields`."""


class AccessGoneEvent(AccessEvent):
    """The access can no longer be used: the relation ended, or the provider withdrew it."""


class AccessRejectedEvent(AccessEvent):
    """The provider does not serve the request; see :attr:`AccessEvent.status`."""


class ValkeyRequirerEvents(ops.ObjectEvents):
    """Events for the application's charm."""

    ready = ops.EventSource(AccessReadyEvent)
    changed = ops.EventSource(AccessChangedEvent)
    gone = ops.EventSource(AccessGoneEvent)
    rejected = ops.EventSource(AccessRejectedEvent)
