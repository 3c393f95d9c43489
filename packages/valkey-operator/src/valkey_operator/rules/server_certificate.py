"""Verifies a server's certificate before the server loads it.

A server says only that it cannot load a certificate, and a replica that it cannot connect.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from .pem import digest
from .signatures import MALFORMED, common_name, is_ca, is_self_signed, is_signed_by, load, to_pem


class CertificateError(ValueError):
    """A certificate cannot be used; the message says why, for the unit's status."""


@dataclass(frozen=True)
class UnverifiedCertificate:
    """A certificate from the provider, with its private key; all PEM, nothing checked.

    Attributes:
        leaf: The certificate.
        chain: Its issuers up to the CA, in any order.
        ca: The CA certificate.
        key: The private key of the certificate signing request.
    """

    leaf: str
    chain: tuple[str, ...]
    ca: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class VerifiedCertificate:
    """A certificate that servers can use.

    Attributes:
        name: A digest of the chain, which names the certificate's files.
        anchors: The trust anchors: the CA certificates (PEM) that others have to trust.
        not_before: When it becomes valid, in seconds since 1970.
        not_after: When it, or the first CA in its chain, expires, in seconds since 1970.
        chain: The leaf and the intermediate CAs (PEM), as servers send them.
        key: The private key (PEM).
        fingerprint: The SHA-256 fingerprint of the leaf, as ``openssl x509`` prints it.
        ca_name: The common name of the trust anchor.
    """

    name: str
    anchors: tuple[str, ...]
    not_before: float
    not_after: float
    chain: str
    key: str = field(repr=False)
    fingerprint: str
    ca_name: str


def verify(certificate: UnverifiedCertificate, now: datetime | None = None) -> VerifiedCertificate:
    """Verify that servers can use a certificate, for clients and among themselves.

    Args:
        certificate: The certificate from the provider.
        now: The current time; for tests.

    Raises:
        CertificateError: If they cannot.
    """
    now = now or datetime.now(timezone.utc)
    leaf = _load(certificate.leaf, "leaf certificate")
    issuers = [_load(text, "certificate in the chain") for text in certificate.chain]
    issuers.append(_load(certificate.ca, "CA certificate"))
    _check_key(leaf, certificate.key)
    _check_usage(leaf)
    path = _path(leaf, issuers)
    _check_validity(leaf, "it", now)
    for issuer in path[1:]:
        _check_validity(issuer, f"its CA {common_name(issuer)}", now)
    *chain, anchor = path
    chain_pems = [to_pem(link) for link in chain]
    return VerifiedCertificate(
        name=digest("\n".join(chain_pems)),
        anchors=(to_pem(anchor),),
        not_before=leaf.not_valid_before_utc.timestamp(),
        not_after=min(link.not_valid_after_utc for link in path).timestamp(),
        chain="\n".join(chain_pems) + "\n",
        key=certificate.key,
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(":").upper(),
        ca_name=common_name(anchor),
    )


def _load(text: str, what: str) -> x509.Certificate:
    try:
        return load(text)
    except MALFORMED:
        raise CertificateError(f"malformed {what}") from None


def _check_validity(certificate: x509.Certificate, what: str, now: datetime) -> None:
    not_before, not_after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= not_after:
        raise CertificateError(f"{what} expired on {not_after:%Y-%m-%d %H:%M} UTC")
    if now < not_before:
        raise CertificateError(
            f"{what} is not valid before {not_before:%Y-%m-%d %H:%M} UTC; check the clocks"
        )


def _check_key(leaf: x509.Certificate, key: str) -> None:
    try:
        private_key = serialization.load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError):
        raise CertificateError("malformed private key") from None
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if private_key.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        raise CertificateError("it does not match this unit's private key")


def _check_usage(leaf: x509.Certificate) -> None:
    """A server is a TLS client too: of its primary; a Sentinel is one of all servers."""
    with contextlib.suppress(x509.ExtensionNotFound):
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usage:
            return
        needed = {
            "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
            "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
        }
        lacking = [name for name, oid in needed.items() if oid not in usage]
        if lacking:
            raise CertificateError(
                f"it lacks the extended key usage {' and '.join(lacking)}; replication and"
                " Sentinel need both serverAuth and clientAuth"
            )


def _path(
    leaf: x509.Certificate, issuers: Sequence[x509.Certificate]
) -> Sequence[x509.Certificate]:
    """From the leaf to its trust anchor: a self-signed CA, as OpenSSL accepts no other."""
    path = [leaf]
    while not is_self_signed(path[-1]):
        candidates = [issuer for issuer in issuers if issuer not in path]
        issuer = next(_issuers_of(path[-1], candidates), None)
        if issuer is None:
            raise CertificateError(
                "it was not signed by the CA sent with it"
                if len(path) == 1
                else "its chain does not lead to a self-signed CA"
            )
        path.append(issuer)
    if len(path) == 1:
        raise CertificateError("it is self-signed; it must be signed by a CA")
    return path


def _issuers_of(
    certificate: x509.Certificate, candidates: Iterable[x509.Certificate]
) -> Iterator[x509.Certificate]:
    return (ca for ca in candidates if is_signed_by(certificate, ca) and is_ca(ca))
