"""What this library raises; every class derives from :class:`ValkeyClientError`."""


class ValkeyClientError(Exception):
    """Base of every error that this library raises on purpose."""


class PrefixError(ValkeyClientError, ValueError):
    """A text is not a prefix that a provider may grant; the message says what to change."""


class RequestError(ValkeyClientError, ValueError):
    """A request that this charm builds cannot be sent as it is."""


class SecretsUnsupportedError(ValkeyClientError, RuntimeError):
    """The Juju that runs this model has no secrets, which the contract requires of both ends."""


class UnreachableError(ValkeyClientError, ConnectionError):
    """An access names no endpoint that a client could connect to."""
