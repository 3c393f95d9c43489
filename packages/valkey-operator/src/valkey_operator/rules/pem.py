"""Certificates as text (PEM), and the files of those that are trusted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----", re.ASCII
)


def certificates(text: str) -> tuple[str, ...]:
    """The certificates in a text, each in the one form in which equal ones are equal text."""
    return tuple(map(_normal, _CERTIFICATE.findall(text)))


def _normal(base64: str) -> str:
    data = "".join(base64.split())
    lines = [data[i : i + 64] for i in range(0, len(data), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----"])


def fingerprint(text: str) -> str:
    """A short digest that stands for a text in names of files and in databags."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprints(texts: Iterable[str]) -> frozenset[str]:
    """Those of all certificates in some texts."""
    return frozenset(fingerprint(pem) for text in texts for pem in certificates(text))


def trust_bundle(
    own: Iterable[str], trusted: Iterable[str], client_cas: Iterable[str] = ()
) -> str:
    """What a unit's servers trust, as the text of a file; the same for equal sets.

    Args:
        own: The CA certificates of the unit's own certificate.
        trusted: Those that the leader names.
        client_cas: CA certificates of clients that may prove themselves with one.
    """
    found = {pem for text in (*own, *trusted, *client_cas) for pem in certificates(text)}
    return "\n".join(sorted(found))
