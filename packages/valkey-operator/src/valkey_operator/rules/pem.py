"""Certificates as text (PEM), and the trust bundles made of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----", re.ASCII
)


def split_certificates(text: str) -> tuple[str, ...]:
    """The certificates in a text, normalized so that equal ones are equal text."""
    return tuple(map(_normalize, _CERTIFICATE.findall(text)))


def _normalize(base64: str) -> str:
    data = "".join(base64.split())
    lines = [data[i : i + 64] for i in range(0, len(data), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----"])


def digest(text: str) -> str:
    """A short digest of a text, for file names and databags.

    It is not what X.509 tools call a fingerprint, which is a digest of the DER encoding.
    """
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def certificate_digests(texts: Iterable[str]) -> frozenset[str]:
    """The digests of all certificates in some texts."""
    return frozenset(digest(pem) for text in texts for pem in split_certificates(text))


def trust_bundle(
    own_anchors: Iterable[str], cas: Iterable[str], client_cas: Iterable[str] = ()
) -> str:
    """The trust bundle of a unit's servers, as PEM; equal text for equal sets.

    Args:
        own_anchors: The trust anchors of the unit's own certificate.
        cas: The CA certificates in the leader's TLS policy.
        client_cas: The CA certificates of clients.
    """
    texts = (*own_anchors, *cas, *client_cas)
    return "\n".join(sorted({pem for text in texts for pem in split_certificates(text)}))
