"""The certificate of a client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate with its private key, both as PEM text.

    Attributes:
        certificate: The certificate, followed by its intermediates if there are any.
        private_key: Its private key, not encrypted; never shown by ``repr``.
    """

    certificate: str
    private_key: str = field(repr=False)


CertificateSource = ClientCertificate | Callable[[], ClientCertificate | None]
"""A certificate, or a callable that returns the current one."""
