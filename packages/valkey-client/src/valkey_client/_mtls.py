"""How the certificate of a requirer's clients is sent to the provider.

Within a model it is in a secret of the requirer. A secret of the consuming side cannot be read in
another model. There, the provider makes a key and shares it in a secret, whose URI is in the field
``encryption-secret`` of its databag; the certificate is in the request, encrypted with Fernet. The
libraries in the field do the same.
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
"""The key in the secret, and the field of a request to another model."""

ENCRYPTION_SECRET = "encryption-secret"  # noqa: S105
"""The field of both databags with the URI of the provider's key."""

_KEY = "encryption-key"


class UnusableKeyError(RequestError):
    """The provider's key cannot be read or is not a key."""


_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII
)
_LONGEST = 64 * 1024


def problem_of(text: str) -> str:
    """What is wrong with a text that should contain certificates; empty if nothing is found."""
    if "PRIVATE KEY" in text:
        return "it contains a private key, which must never be sent; replace that key"
    if len(text) > _LONGEST:
        return f"it is longer than {_LONGEST // 1024} KiB"
    return "" if _CERTIFICATE.search(text) else "it contains no certificate in PEM"


def check(text: str) -> str:
    """The text without surrounding blanks.

    Raises:
        RequestError: If it cannot be sent.
    """
    if problem := problem_of(text):
        raise RequestError(f"client_certificate cannot be sent: {problem}")
    return text.strip() + "\n"


def has_certificate(bag: Mapping[str, str]) -> bool:
    """Whether a request in a requirer's databag comes with a certificate."""
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
    """Encrypt a certificate for another model; ``old`` if that is the same certificate.

    Raises:
        RequestError: If the package cryptography is missing or the key is unusable.
    """
    fernet, invalid = _fernet(secret)
    try:
        if old and fernet.decrypt(old.encode()).decode() == text:
            return old
    except (invalid, UnicodeDecodeError):
        pass
    return fernet.encrypt(text.encode()).decode()


def decrypt(secret: ops.Secret, text: str) -> str:
    """Decrypt a certificate from another model.

    Raises:
        RequestError: If it cannot be decrypted.
    """
    fernet, invalid = _fernet(secret)
    try:
        return fernet.decrypt(text.encode()).decode()
    except (invalid, UnicodeError):
        raise RequestError("it was not encrypted with this relation's key") from None


def _fernet(secret: ops.Secret) -> tuple[Any, type[Exception]]:
    # A large compiled package, which only relations between models need.
    try:
        from cryptography.fernet import (  # pyright: ignore[reportMissingImports] # noqa: PLC0415
            Fernet,
            InvalidToken,
        )
    except ImportError:
        raise RequestError(
            "between models a client certificate needs the package cryptography in the charm"
        ) from None
    try:
        return Fernet(secret.get_content(refresh=True).get(_KEY, "")), InvalidToken
    except (ValueError, ops.ModelError, ops.SecretNotFoundError):
        raise UnusableKeyError("the relation's encryption key cannot be read") from None
