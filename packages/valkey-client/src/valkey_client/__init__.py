"""Both sides of the ``valkey_client`` relation.

An application's charm requests a range of keys and gets an account for it::

    self.valkey = ValkeyRequirer(self, "valkey", prefix="application:*")
    self.framework.observe(self.valkey.on.ready, self._on_valkey)
    ...
    if access := self.valkey.access:
        valkey_client.client.connect(access).set("application:greeting", "hello")

Import the client with ``from valkey_client import client`` where it is used: a hook that does not
connect should not pay for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._errors import (
    PrefixError,
    RequestError,
    SecretsUnsupportedError,
    UnreachableError,
    ValkeyClientError,
)
from ._events import (
    AccessChangedEvent,
    AccessEvent,
    AccessGoneEvent,
    AccessReadyEvent,
    AccessRejectedEvent,
    RequestsChangedEvent,
    RequestsReleasedEvent,
    RevisionRemovedEvent,
)
from ._prefix import KeyPrefix
from .databag import Requests, Responses
from .messages import Access, AccessRequest, Endpoint, RelationStatus, Response, Topology
from .options import RequestOptions

if TYPE_CHECKING:
    from ._certificate_receiver import RequestCertificate
    from ._provider import ValkeyProvider
    from ._provider_responses import Grant, Notice, ProviderResponse, Refusal, Withdrawal
    from ._requirer import ValkeyRequirer

__all__ = [
    "Access",
    "AccessChangedEvent",
    "AccessEvent",
    "AccessGoneEvent",
    "AccessReadyEvent",
    "AccessRejectedEvent",
    "AccessRequest",
    "Endpoint",
    "Grant",
    "KeyPrefix",
    "Notice",
    "PrefixError",
    "ProviderResponse",
    "Refusal",
    "RelationStatus",
    "RequestCertificate",
    "RequestError",
    "RequestOptions",
    "Requests",
    "RequestsChangedEvent",
    "RequestsReleasedEvent",
    "Response",
    "Responses",
    "RevisionRemovedEvent",
    "SecretsUnsupportedError",
    "Topology",
    "UnreachableError",
    "ValkeyClientError",
    "ValkeyProvider",
    "ValkeyRequirer",
    "Withdrawal",
]

_MODULES = {
    "Grant": "._provider_responses",
    "Notice": "._provider_responses",
    "ProviderResponse": "._provider_responses",
    "Refusal": "._provider_responses",
    "RequestCertificate": "._certificate_receiver",
    "ValkeyProvider": "._provider",
    "ValkeyRequirer": "._requirer",
    "Withdrawal": "._provider_responses",
}


def __getattr__(name: str) -> Any:
    """Import one side of the relation on use: few charms have both."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name], __name__), name)
