"""Certificates for tests: who signs, for whom, for how long."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
BOTH = (*SERVER, *CLIENT)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key.

    Attributes:
        certificate: PEM.
        key: PEM.
    """

    certificate: str
    key: str = field(repr=False)

    @classmethod
    def authority(
        cls, name: str = "ca", usage: Iterable[x509.ObjectIdentifier] = (), days: float = 1
    ) -> Self:
        """A CA that signed itself, limited to some usages if so wanted."""
        return cls._make(name, None, days=days, is_ca=True, usage=usage)

    @classmethod
    def own(cls, name: str, usage: Iterable[x509.ObjectIdentifier]) -> Self:
        """A certificate that signed itself and is no CA."""
        return cls._make(name, None, usage=usage)

    def issue(
        self,
        name: str,
        *,
        addresses: Iterable[str] = (),
        names: Iterable[str] = (),
        days: float = 1,
        is_ca: bool = False,
        usage: Iterable[x509.ObjectIdentifier] = BOTH,
    ) -> Self:
        """A certificate that this one signed."""
        usage = () if is_ca else usage
        return self._make(name, self, addresses, names, days, is_ca=is_ca, usage=usage)

    @classmethod
    def _make(
        cls,
        name: str,
        issuer: Pair | None,
        addresses: Iterable[str] = (),
        names: Iterable[str] = (),
        days: float = 1,
        *,
        is_ca: bool = False,
        usage: Iterable[x509.ObjectIdentifier] = (),
    ) -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signs, signer = subject, key
        if issuer:
            signs = x509.load_pem_x509_certificate(issuer.certificate.encode()).subject
            signer = serialization.load_pem_private_key(issuer.key.encode(), None)
        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signs)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        )
        alternatives = [
            *(x509.IPAddress(ipaddress.ip_address(a)) for a in addresses),
            *map(x509.DNSName, names),
        ]
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
        if wanted := list(usage):
            builder = builder.add_extension(x509.ExtendedKeyUsage(wanted), False)
        certificate = builder.sign(signer, hashes.SHA256())
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
        return cls(
            certificate.public_bytes(serialization.Encoding.PEM).decode(),
            key.private_bytes(*form, serialization.NoEncryption()).decode(),
        )
