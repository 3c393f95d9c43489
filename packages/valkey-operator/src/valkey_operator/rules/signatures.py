"""Certificates of servers and of clients: loading them, and checking who signed them."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from .pem import split_certificates

MALFORMED = (
    *(ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion),
    *(x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)
"""What ``cryptography`` raises while it reads a malformed certificate."""

_MAX_NAME = 64
"""The longest common name (RFC 5280, upper bounds)."""


def load(text: str) -> x509.Certificate:
    """Load a certificate (PEM), and read all of it once, so that later reads do not raise.

    Raises:
        Exception: One of :data:`MALFORMED`.
    """
    certificate = x509.load_pem_x509_certificate(text.encode())
    _ = certificate.extensions, certificate.subject, certificate.issuer
    certificate.public_key()
    return certificate


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether another certificate signed this one."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*MALFORMED, InvalidSignature):
        return False
    return True


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether a certificate signed itself, as a root CA does."""
    return is_signed_by(certificate, certificate)


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether a certificate is a CA's, by its basic constraints."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def common_name(certificate: x509.Certificate) -> str:
    """The common name of the subject, printable and short enough for a status."""
    attributes = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(attributes[0].value)[:_MAX_NAME] if attributes else ""
    return "".join(c if c.isprintable() else "?" for c in name) or "without a name"


def to_pem(certificate: x509.Certificate) -> str:
    """A certificate as PEM, normalized so that equal ones are equal text."""
    text = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return split_certificates(text)[0]
