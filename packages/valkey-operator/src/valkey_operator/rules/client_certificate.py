"""Whether a client's certificate can be trusted, and by which CA.

Servers have one list of those that they trust, for clients and for each other: whoever has a
certificate of one of these CAs can show it as a server, unless the CA is limited. So what an
application sends is trusted only if nothing that it signs can pass for a server: OpenSSL wants the
purpose of a certificate in all of its chain, the CA's own included. What the operator of the
charm integrates with ``client-cas`` is trusted as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .signatures import UNREADABLE, is_ca, is_issued, pem

_MOST = 8
"""How many certificates one request may come with."""


class ClientCertificateError(ValueError):
    """A certificate cannot be trusted; the message says why, for whoever sent it."""


def anchors(
    text: str,
    trusted: Iterable[str],
    others: Iterable[str] = (),
    now: datetime | None = None,
) -> tuple[str, ...]:
    """What servers have to trust so that an application's clients can show their certificate.

    Args:
        text: What the application sent: a certificate with its chain, or a CA.
        trusted: The CA certificates that servers trust in any case.
        others: Those that other applications sent.
        now: For tests.

    Returns:
        CA certificates; none if they trust it already.

    Raises:
        ClientCertificateError: If it cannot be trusted.
    """
    shown = _load(text)
    known = _load_all(trusted)
    for certificate in shown:
        _check_time(certificate, now or datetime.now(timezone.utc))
        if not is_ca(certificate) and not _may(certificate, ExtendedKeyUsageOID.CLIENT_AUTH):
            raise ClientCertificateError(f"{_name(certificate)} may not be used for clientAuth")
    roots = {_root(certificate, shown, known) for certificate in shown} - set(known)
    names = {certificate.subject for certificate in (*known, *_load_all(others))}
    present = {pem(certificate) for certificate in _load_all(others)}
    for root in roots:
        if not _is_limited(root):
            raise ClientCertificateError(
                f"{_name(root)} may sign for servers, and by that Valkey's servers know each"
                " other; use one with clientAuth as its only extended key usage, or have the"
                " operator of Valkey integrate client-cas with its provider"
            )
        if root.subject in names and pem(root) not in present:
            # OpenSSL looks for an issuer by its name, and could take the one for the other.
            raise ClientCertificateError(
                f"{_name(root)} has the name of another CA that is trusted; give it its own"
            )
    return tuple(sorted(map(pem, roots)))


def authorities(text: str, now: datetime | None = None) -> tuple[str, ...]:
    """The CA certificates in what the operator of the charm wants to be trusted.

    Raises:
        ClientCertificateError: If there is none that can be.
    """
    found: list[str] = []
    for certificate in _load(text):
        _check_time(certificate, now or datetime.now(timezone.utc))
        if is_ca(certificate) and is_issued(certificate, certificate):
            found.append(pem(certificate))
    if not found:
        raise ClientCertificateError("there is no CA in it that signed itself")
    return tuple(sorted(found))


def without_namesakes(pems: Iterable[str], trusted: Iterable[str]) -> tuple[str, ...]:
    """Those that do not bear the name of one that is trusted in any case."""
    names = {certificate.subject: pem(certificate) for certificate in _load_all(trusted)}
    return tuple(
        text
        for text in pems
        for certificate in _load(text)
        if names.get(certificate.subject, pem(certificate)) == pem(certificate)
    )


def _load(text: str) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(text.encode())
        for certificate in found:
            _ = certificate.extensions, certificate.subject, certificate.issuer
    except UNREADABLE:
        raise ClientCertificateError("it holds a certificate that cannot be read") from None
    if len(found) > _MOST:
        raise ClientCertificateError(f"it holds more than {_MOST} certificates")
    return found


def _load_all(texts: Iterable[str]) -> list[x509.Certificate]:
    return [certificate for text in texts for certificate in _load(text)]


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    if now >= certificate.not_valid_after_utc:
        raise ClientCertificateError(
            f"{_name(certificate)} expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        )
    if now < certificate.not_valid_before_utc:
        raise ClientCertificateError(f"{_name(certificate)} is not valid yet")


def _root(
    certificate: x509.Certificate,
    shown: Sequence[x509.Certificate],
    known: Sequence[x509.Certificate],
) -> x509.Certificate:
    """The end of the way from a certificate to one that signed itself; servers trust no other."""
    path = [certificate]
    while not is_issued(path[-1], path[-1]):
        issuers = (c for c in (*known, *shown) if c not in path and is_ca(c))
        issuer = next((c for c in issuers if is_issued(path[-1], c)), None)
        if issuer is None:
            raise ClientCertificateError(
                f"the CA that signed {_name(path[-1])} is not trusted here; send it along"
            )
        path.append(issuer)
    return path[-1]


def _usage(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return set()


def _may(certificate: x509.Certificate, usage: x509.ObjectIdentifier) -> bool:
    found = _usage(certificate)
    return not found or bool(found & {usage, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})


def _is_limited(certificate: x509.Certificate) -> bool:
    # Nothing else may stand beside it: OpenSSL takes old names of serverAuth too.
    return _usage(certificate) == {ExtendedKeyUsageOID.CLIENT_AUTH}


def _name(certificate: x509.Certificate) -> str:
    """What to call it, as text that may stand in a status."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(found[0].value)[:64] if found else ""
    shown = "".join(c if c.isprintable() else "?" for c in name) or "without a name"
    return f"{'CA' if is_ca(certificate) else 'certificate'} {shown}"
