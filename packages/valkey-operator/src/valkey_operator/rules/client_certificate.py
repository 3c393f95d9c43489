"""Whether a client's certificate can be trusted, and by which CA.

Servers have one trust bundle, for clients and for each other: whoever has a certificate of one of
these CAs can pose as a server, unless the CA is limited to clients. So what an application sends
is trusted only if nothing that it signs can pass for a server: OpenSSL checks the extended key
usage of all certificates in a chain, the CA's included. What the Juju operator integrates with
``client-cas`` is trusted without that limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from .signatures import MALFORMED, common_name, is_ca, is_self_signed, is_signed_by, to_pem

_MAX_CERTIFICATES = 8
"""How many certificates one request may come with."""


class ClientCertificateError(ValueError):
    """A certificate cannot be trusted; the message says why, for its sender."""


def find_trust_anchors(
    text: str,
    cas: Iterable[str],
    other_cas: Iterable[str] = (),
    now: datetime | None = None,
) -> tuple[str, ...]:
    """The CAs that servers have to trust so that an application's clients can authenticate.

    Args:
        text: What the application sent: a certificate with its chain, or a CA (PEM).
        cas: The CA certificates (PEM) that servers trust in any case.
        other_cas: Those that other applications sent.
        now: The current time; for tests.

    Returns:
        CA certificates (PEM); none if servers trust the certificate already.

    Raises:
        ClientCertificateError: If the certificate cannot be trusted.
    """
    certificates = _load(text)
    known = _load_all(cas)
    for certificate in certificates:
        _check_validity(certificate, now or datetime.now(timezone.utc))
        if not is_ca(certificate) and not _allows(certificate, ExtendedKeyUsageOID.CLIENT_AUTH):
            raise ClientCertificateError(
                f"{_describe(certificate)} lacks the extended key usage clientAuth"
            )
    anchors = {_anchor(certificate, certificates, known) for certificate in certificates}
    anchors -= set(known)
    others = _load_all(other_cas)
    subjects = {certificate.subject for certificate in (*known, *others)}
    other_pems = {to_pem(certificate) for certificate in others}
    for anchor in anchors:
        if not _is_limited_to_clients(anchor):
            raise ClientCertificateError(
                f"{_describe(anchor)} can sign server certificates, and Valkey's servers would"
                " trust them; use a CA with clientAuth as its only extended key usage, or have"
                " the operator of Valkey integrate client-cas with its provider"
            )
        if anchor.subject in subjects and to_pem(anchor) not in other_pems:
            # OpenSSL looks for an issuer by its subject, and could take one for the other.
            raise ClientCertificateError(
                f"{_describe(anchor)} has the same subject as another trusted CA; give it a"
                " subject of its own"
            )
    return tuple(sorted(map(to_pem, anchors)))


def read_cas(text: str, now: datetime | None = None) -> tuple[str, ...]:
    """The CA certificates (PEM) in a text that the Juju operator wants to be trusted.

    Raises:
        ClientCertificateError: If there is none, or a certificate cannot be trusted.
    """
    cas: list[str] = []
    for certificate in _load(text):
        _check_validity(certificate, now or datetime.now(timezone.utc))
        if is_ca(certificate) and is_self_signed(certificate):
            cas.append(to_pem(certificate))
    if not cas:
        raise ClientCertificateError("no self-signed CA certificate")
    return tuple(sorted(cas))


def exclude_same_subjects(pems: Iterable[str], cas: Iterable[str]) -> tuple[str, ...]:
    """The CA certificates without those that have the subject of another, trusted CA.

    Args:
        pems: The CA certificates (PEM) of an application.
        cas: The CA certificates that servers trust in any case.
    """
    subjects = {certificate.subject: to_pem(certificate) for certificate in _load_all(cas)}
    return tuple(
        pem
        for pem in pems
        for certificate in _load(pem)
        if subjects.get(certificate.subject, to_pem(certificate)) == to_pem(certificate)
    )


def _load(text: str) -> list[x509.Certificate]:
    try:
        certificates = x509.load_pem_x509_certificates(text.encode())
        for certificate in certificates:
            _ = certificate.extensions, certificate.subject, certificate.issuer
    except MALFORMED:
        raise ClientCertificateError("malformed certificate") from None
    if len(certificates) > _MAX_CERTIFICATES:
        raise ClientCertificateError(f"more than {_MAX_CERTIFICATES} certificates")
    return certificates


def _load_all(texts: Iterable[str]) -> list[x509.Certificate]:
    return [certificate for text in texts for certificate in _load(text)]


def _check_validity(certificate: x509.Certificate, now: datetime) -> None:
    not_after = certificate.not_valid_after_utc
    if now >= not_after:
        raise ClientCertificateError(
            f"{_describe(certificate)} expired on {not_after:%Y-%m-%d %H:%M} UTC"
        )
    if now < certificate.not_valid_before_utc:
        raise ClientCertificateError(f"{_describe(certificate)} is not valid yet")


def _anchor(
    certificate: x509.Certificate,
    certificates: Sequence[x509.Certificate],
    known: Sequence[x509.Certificate],
) -> x509.Certificate:
    """The trust anchor of a certificate: a self-signed one, as OpenSSL accepts no other."""
    path = [certificate]
    while not is_self_signed(path[-1]):
        issuers = (c for c in (*known, *certificates) if c not in path and is_ca(c))
        issuer = next((c for c in issuers if is_signed_by(path[-1], c)), None)
        if issuer is None:
            raise ClientCertificateError(
                f"the CA that signed {_describe(path[-1])} is not trusted; send it too"
            )
        path.append(issuer)
    return path[-1]


def _usage(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return set()


def _allows(certificate: x509.Certificate, usage: x509.ObjectIdentifier) -> bool:
    usages = _usage(certificate)
    return not usages or bool(usages & {usage, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})


def _is_limited_to_clients(certificate: x509.Certificate) -> bool:
    # No other usage is allowed beside it: OpenSSL accepts obsolete names of serverAuth too.
    return _usage(certificate) == {ExtendedKeyUsageOID.CLIENT_AUTH}


def _describe(certificate: x509.Certificate) -> str:
    """A name for it that is safe in a status."""
    return f"{'CA' if is_ca(certificate) else 'certificate'} {common_name(certificate)}"
