"""The certificate that a requirer's clients show, on its way to the provider.

Within a model it travels in a secret of the requirer. A secret of the consuming side cannot be
read in another model, so there the provider makes a key, shares it in the secret that its databag
names in ``encryption-secret``, and the certificate stands in the request, encrypted (Fernet). That
is how the libraries in the field do it.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from typing import Any

import ops

from ._errors import RequestError
from .messages import secret_label

CONTENT = "mtls-cert"
"""The key in the secret, and the name of the field in a request to another model."""

ENCRYPTION_SECRET = "encryption-secret"  # noqa: S105
"""The field of both databags that names the provider's key."""

_KEY = "encryption-key"


class UnusableKeyError(RequestError):
    """The key that the provider shares cannot be read, or is none."""


_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII
)
_LONGEST = 64 * 1024


def fault(text: str) -> str:
    """What is wrong with a text that should hold certificates; empty if nothing shows."""
    if "PRIVATE KEY" in text:
        return "it holds a private key, which must not leave its owner: make a new one"
    if len(text) > _LONGEST:
        return f"it is longer than {_LONGEST // 1024} KiB"
    return "" if _CERTIFICATE.search(text) else "it holds no certificate in PEM"


def check(text: str) -> str:
    """The text without what surrounds it.

    Raises:
        RequestError: If it cannot be sent.
    """
    if found := fault(text):
        raise RequestError(f"client_certificate cannot be sent: {found}")
    return text.strip() + "\n"


def is_shown(bag: Mapping[str, str]) -> bool:
    """Whether a requirer's databag shows a certificate."""
    requests = bag.get("requests", "")
    return '"secret-mtls"' in requests or '"mtls-cert"' in requests


def is_cross_model(model: ops.Model, relation: ops.Relation) -> bool:
    """Whether the other end is in another model. Costs a hook command."""
    return relation.remote_model.uuid != model.uuid


def new_key() -> dict[str, str]:
    """Content of a provider's secret: a new key."""
    return {_KEY: base64.urlsafe_b64encode(os.urandom(32)).decode()}


def key_label(endpoint: str, relation_id: int) -> str:
    """The label of the key's secret, on either side."""
    return secret_label(endpoint, relation_id, "", "encryption")


def encrypt(secret: ops.Secret, text: str, old: str) -> str:
    """A certificate for another model; as it was if that says the same.

    Raises:
        RequestError: If this charm lacks what is needed for it.
    """
    fernet, invalid = _fernet(secret)
    try:
        if old and fernet.decrypt(old.encode()).decode() == text:
            return old
    except (invalid, UnicodeDecodeError):
        pass
    return fernet.encrypt(text.encode()).decode()


def decrypt(secret: ops.Secret, text: str) -> str:
    """A certificate from another model.

    Raises:
        RequestError: If it cannot be decrypted.
    """
    fernet, invalid = _fernet(secret)
    try:
        return fernet.decrypt(text.encode()).decode()
    except (invalid, UnicodeError):
        raise RequestError("it was not encrypted with this relation's key") from None


def _fernet(secret: ops.Secret) -> tuple[Any, type[Exception]]:
    # A large compiled package, and only what is in two models needs it.
    try:
        from cryptography.fernet import (  # pyright: ignore[reportMissingImports] # noqa: PLC0415
            Fernet,
            InvalidToken,
        )
    except ImportError:
        raise RequestError(
            "client certificates between models need the package cryptography in the charm"
        ) from None
    try:
        return Fernet(secret.get_content(refresh=True).get(_KEY, "")), InvalidToken
    except (ValueError, ops.ModelError, ops.SecretNotFoundError):
        raise UnusableKeyError("the relation's encryption key cannot be read") from None
