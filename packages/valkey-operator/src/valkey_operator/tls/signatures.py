"""Who signed a certificate, and whether it may; for those of servers and of clients alike."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from .pem import certificates


def is_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether a certificate was signed by another, or by itself."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
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
