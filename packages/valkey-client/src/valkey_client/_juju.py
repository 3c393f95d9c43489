"""What both ends require of Juju."""

from __future__ import annotations

import ops

from ._errors import SecretsUnsupportedError


def require_secrets(model: ops.Model, endpoint: str) -> None:
    """Check that Juju has secrets (contract, *Behavior*).

    Raises:
        SecretsUnsupportedError: On a Juju older than 3.0.3.
    """
    if not model.juju_version.has_secrets:
        raise SecretsUnsupportedError(
            f"endpoint {endpoint}: Juju {model.juju_version} has no secrets, which credentials"
            " need; use Juju 3.0.3 or later"
        )
