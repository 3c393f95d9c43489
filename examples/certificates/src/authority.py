"""A certificate authority: a key and a certificate that signed itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=3650)
"""Of the authority itself."""


@dataclass(frozen=True)
class Authority:
    """A certificate authority.

    Attributes:
        certificate: Its certificate (PEM).
        key: Its private key (PEM).
    """

    certificate: str
    key: str = field(repr=False)

    @classmethod
    def new(cls) -> Authority:
        """One that nobody has seen."""
        key = ec.generate_private_key(ec.SECP256R1())
        common_name = f"authority {secrets.token_hex(4)}"
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        certificate = _builder(name, name, key.public_key(), LIFE, is_ca=True).sign(
            key, hashes.SHA256()
        )
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
        text = key.private_bytes(*form, serialization.NoEncryption()).decode()
        return cls(certificate.public_bytes(serialization.Encoding.PEM).decode(), text)

    @classmethod
    def read(cls, content: Mapping[str, str]) -> Authority:
        """From a secret's content."""
        return cls(content["certificate"], content["key"])

    def content(self) -> dict[str, str]:
        """A secret's content."""
        return {"certificate": self.certificate, "key": self.key}

    def sign(
        self, request: str, life: timedelta, *, client_auth: bool = True, other_key: bool = False
    ) -> str:
        """A certificate for a request (both PEM).

        Args:
            request: The certificate signing request.
            life: How long it is valid.
            client_auth: Whether it may be used by a client too.
            other_key: Whether it shall belong to a key that nobody has.
        """
        csr = x509.load_pem_x509_csr(request.encode())
        issuer = x509.load_pem_x509_certificate(self.certificate.encode())
        key = serialization.load_pem_private_key(self.key.encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the key of an authority is an EC key")
        public = ec.generate_private_key(ec.SECP256R1()).public_key()
        builder = _builder(
            csr.subject, issuer.subject, public if other_key else csr.public_key(), life
        )
        usage = [ExtendedKeyUsageOID.SERVER_AUTH]
        usage += [ExtendedKeyUsageOID.CLIENT_AUTH] if client_auth else []
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        builder = builder.add_extension(names, critical=False)
        signed = builder.sign(key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM).decode()


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    life: timedelta,
    *,
    is_ca: bool = False,
) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        # Clocks differ.
        .not_valid_before(now - min(timedelta(minutes=1), life / 100))
        .not_valid_after(now + life)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
