"""Certificates for tests that read none: texts that look like one, and what they stand for."""

from __future__ import annotations

from typing import Any

from valkey_operator.model.tls_policy import TlsPolicy
from valkey_operator.rules.pem import certificate_digests
from valkey_operator.rules.server_certificate import VerifiedCertificate

DAY = 24 * 3600.0


def pem(text: str) -> str:
    """Something that looks like a certificate."""
    body = (text * 8)[:8]
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"


OLD, NEW = pem("OLD1"), pem("NEW1")


def verified(name: str, *anchors: str, ends: float = 100 * DAY) -> VerifiedCertificate:
    return VerifiedCertificate(name, anchors, 0.0, ends, "", "", "", "")


def policy(*cas: str, on: bool = True, **options: Any) -> TlsPolicy:
    options.setdefault("issuers", certificate_digests(cas) if on else frozenset())
    return TlsPolicy(on=on, cas=cas, **options)
