"""Who signed a certificate, and whether it may; for those of servers and of clients alike."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from .pem import certificates

UNREADABLE = (
    *(ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion),
    *(x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)
"""What reading a certificate raises, which was written by others."""


def load(text: str) -> x509.Certificate:
    """The certificate in a text (PEM), with all that it says read once.

    Raises:
        Exception: One of :data:`UNREADABLE`, if it cannot be read.
    """
    certificate = x509.load_pem_x509_certificate(text.encode())
    _ = certificate.extensions, certificate.subject, certificate.issuer
    certificate.public_key()
    return certificate


def is_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether a certificate was signed by another, or by itself."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether a certificate says that it is a CA's."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def pem(certificate: x509.Certificate) -> str:
    """A certificate in the one form in which equal ones are equal text."""
    return certificates(certificate.public_bytes(serialization.Encoding.PEM).decode())[0]
