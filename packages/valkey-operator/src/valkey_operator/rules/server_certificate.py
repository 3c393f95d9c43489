"""Whether a certificate can be used, found out before a server is given it.

A server says only that it cannot use it, and a replica that it cannot connect.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from .pem import fingerprint
from .signatures import UNREADABLE, is_ca, is_issued, load, pem


class CertificateError(ValueError):
    """A certificate cannot be used; the message says why, for the unit's status."""


@dataclass(frozen=True)
class UnverifiedCertificate:
    """What the provider of certificates gave, as PEM, not checked yet.

    Attributes:
        leaf: The certificate.
        chain: The certificates up to the CA, in any order.
        ca: The CA's.
        key: The private key that it was asked for with.
    """

    leaf: str
    chain: tuple[str, ...]
    ca: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class CertificateIdentity:
    """A certificate that can be used.

    Attributes:
        name: What its files are called by: a digest of the certificate.
        anchors: The CA certificates that others have to trust.
        begins: When it begins to be valid, in seconds since 1970.
        ends: When it expires, or the first of those that signed it.
    """

    name: str
    anchors: tuple[str, ...]
    begins: float
    ends: float


@dataclass(frozen=True)
class VerifiedCertificate:
    """A certificate that can be used, with its files.

    Attributes:
        identity: What it is.
        chain: The certificate and those between it and the CA, as servers show them.
        key: Its private key.
    """

    identity: CertificateIdentity
    chain: str
    key: str = field(repr=False)


def check(received: UnverifiedCertificate, now: datetime | None = None) -> VerifiedCertificate:
    """Whether servers can use a certificate, for clients and among themselves.

    Args:
        received: What the provider gave.
        now: For tests.

    Raises:
        CertificateError: If they cannot.
    """
    leaf = _load(received.leaf, "the certificate")
    others = [_load(text, "a certificate of the chain") for text in received.chain]
    others.append(_load(received.ca, "the CA certificate"))
    _check_key(leaf, received.key)
    _check_usage(leaf)
    path = _path(leaf, others)
    _check_time(leaf, "it", now or datetime.now(timezone.utc))
    for issuer in path[1:]:
        _check_time(issuer, "a CA that signed it", now or datetime.now(timezone.utc))
    shown = [pem(certificate) for certificate in path[:-1]]
    identity = CertificateIdentity(
        name=fingerprint("\n".join(shown)),
        anchors=(pem(path[-1]),),
        begins=leaf.not_valid_before_utc.timestamp(),
        ends=min(certificate.not_valid_after_utc for certificate in path).timestamp(),
    )
    return VerifiedCertificate(identity, "\n".join(shown) + "\n", received.key)


def _load(text: str, what: str) -> x509.Certificate:
    try:
        return load(text)
    except UNREADABLE:
        raise CertificateError(f"{what} cannot be read") from None


def _check_time(certificate: x509.Certificate, what: str, now: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= ends:
        raise CertificateError(f"{what} expired on {ends:%Y-%m-%d %H:%M} UTC")
    if now < begins:
        raise CertificateError(
            f"{what} is not valid before {begins:%Y-%m-%d %H:%M} UTC; see whether clocks agree"
        )


def _check_key(leaf: x509.Certificate, key: str) -> None:
    try:
        private = serialization.load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError):
        raise CertificateError("the private key cannot be read") from None
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        raise CertificateError("it does not belong to this unit's private key")


def _check_usage(leaf: x509.Certificate) -> None:
    """A server is a client of others: of its primary, and Sentinels are of all servers."""
    with contextlib.suppress(x509.ExtensionNotFound):
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        wanted = {
            "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
            "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
        }
        any_usage = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usage
        missing = [name for name, oid in wanted.items() if oid not in usage and not any_usage]
        if missing:
            raise CertificateError(
                f"it may not be used for {' and '.join(missing)}, and replication and Sentinel"
                " need both serverAuth and clientAuth"
            )


def _path(
    leaf: x509.Certificate, others: Sequence[x509.Certificate]
) -> Sequence[x509.Certificate]:
    """From the certificate to a CA that signed itself; servers trust no other kind."""
    path = [leaf]
    while not is_issued(path[-1], path[-1]):
        rest = [other for other in others if other not in path]
        issuer = next(_issuers(path[-1], rest), None)
        if issuer is None:
            what = "it" if len(path) == 1 else "a certificate of its chain"
            raise CertificateError(f"{what} was not signed by the CA that came with it")
        path.append(issuer)
    if len(path) == 1:
        raise CertificateError("it was signed by no CA but by itself")
    return path


def _issuers(
    certificate: x509.Certificate, others: Iterable[x509.Certificate]
) -> Iterator[x509.Certificate]:
    return (other for other in others if is_issued(certificate, other) and is_ca(other))
