"""Both ends of the ``valkey_client`` relation.

An application's charm asks for a range of keys and gets an account for it::

    self.valkey = ValkeyRequirer(self, "valkey", prefix="application:*")
    self.framework.observe(self.valkey.on.ready, self._on_valkey)
    ...
    if access := self.valkey.access:
        valkey_client.client.connect(access).set("application:greeting", "hello")

(with ``from valkey_client import client`` or ``import valkey_client.client`` beside it: the module
is imported on use, so that a hook that connects to nothing does not pay for it.)
"""

from ._certificate_receiver import ShownCertificate
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
)
from ._prefix import KeyPrefix
from ._provider import ValkeyProvider
from ._provider_responses import Grant, Notice, ProviderResponse, Refusal, Withdrawal
from ._requirer import ValkeyRequirer
from .databag import Requests, Responses
from .messages import Access, AccessRequest, Endpoint, RelationStatus, Response, Topology
from .options import RequestOptions

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
    "RequestError",
    "RequestOptions",
    "Requests",
    "RequestsChangedEvent",
    "RequestsReleasedEvent",
    "Response",
    "Responses",
    "SecretsUnsupportedError",
    "ShownCertificate",
    "Topology",
    "UnreachableError",
    "ValkeyClientError",
    "ValkeyProvider",
    "ValkeyRequirer",
    "Withdrawal",
]
