"""The errors of this library; all derive from :class:`ValkeyClientError`."""


class ValkeyClientError(Exception):
    """Base of every error that this library raises on purpose."""


class PrefixError(ValkeyClientError, ValueError):
    """A prefix or channel pattern breaks the grammar; the message says what to change."""


class RequestError(ValkeyClientError, ValueError):
    """A request of this charm cannot be sent; the message says what to change."""


class SecretsUnsupportedError(ValkeyClientError, RuntimeError):
    """The Juju of this model has no secrets, which the contract requires."""


class UnreachableError(ValkeyClientError, ConnectionError):
    """There is no access yet, or it has no endpoint."""
