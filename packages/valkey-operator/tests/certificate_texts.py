"""Certificates for tests that read none: texts that look like one, and what they stand for."""

from __future__ import annotations

from typing import Any

from valkey_operator.model.tls_policy import TlsPolicy
from valkey_operator.rules.pem import fingerprints
from valkey_operator.rules.server_certificate import CertificateIdentity

DAY = 24 * 3600.0


def pem(text: str) -> str:
    """Something that looks like a certificate."""
    body = (text * 8)[:8]
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"


OLD, NEW = pem("OLD1"), pem("NEW1")


def identity(name: str, *anchors: str, ends: float = 100 * DAY) -> CertificateIdentity:
    return CertificateIdentity(name, anchors, 0.0, ends)


def policy(*cas: str, on: bool = True, **options: Any) -> TlsPolicy:
    options.setdefault("issuers", fingerprints(cas) if on else frozenset())
    return TlsPolicy(on=on, cas=cas, **options)
