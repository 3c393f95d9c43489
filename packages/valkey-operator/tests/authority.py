"""Certificates for tests, good ones and with any mistake."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


class Party:
    """The holder of a key and a certificate, signed by another or by itself."""

    def __init__(self, name: str, issuer: Party | None = None, **options: Any):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(signer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(options.get("begins", NOW - DAY))
            .not_valid_after(options.get("ends", NOW + 30 * DAY))
            .add_extension(
                x509.BasicConstraints(ca=options.get("is_ca", False), path_length=None),
                critical=True,
            )
        )
        if usage := options.get("usage", ()):
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        self.certificate = builder.sign(signer.key, hashes.SHA256())
        self.pem = pem(self.certificate)

    @property
    def key_pem(self) -> str:
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
        return self.key.private_bytes(*form, serialization.NoEncryption()).decode()
