"""TLS for a connection, as the access says when the connection is made.

This module makes its own contexts: those of valkey-py trust the machine's CAs as well as the
provider's, and cannot change from plain to TLS.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Mapping
from typing import Any, NamedTuple

from ._certificate import CertificateSource, ClientCertificate
from ._source import Source

_FILES = ("ssl_certfile", "ssl_keyfile", "ssl_password")
OPTIONS = frozenset({*_FILES, "ssl_check_hostname", "ssl_ciphers", "ssl_min_version"})
"""The options of valkey-py that are used."""


class UnusableError(ssl.SSLError):
    """A CA or client certificate cannot be used."""


class _Contexts(NamedTuple):
    """The contexts for one CA and certificate, by whether they check the host name."""

    ca: str
    certificate: ClientCertificate | None
    by_check: dict[bool, ssl.SSLContext]


class Tls:
    """Secures the connections of one client.

    Args:
        source: Its access says whether there is TLS, and which CAs to trust.
        certificate: The client's certificate, if it has one.
        options: The caller's, of :data:`OPTIONS`.
    """

    def __init__(
        self, source: Source, certificate: CertificateSource | None, options: Mapping[str, Any]
    ):
        self._source = source
        self._certificate = certificate
        self._options = options
        self._cache = _Contexts("", None, {})

    @property
    def is_on(self) -> bool:
        """Whether the endpoints have TLS."""
        return self._source.access.tls

    def context(self, host: str) -> ssl.SSLContext | None:
        """The context to connect to a host; None without TLS.

        Raises:
            UnusableError: If a certificate cannot be read.
        """
        access = self._source.access
        if not access.tls:
            return None
        certificate = self._certificate() if callable(self._certificate) else self._certificate
        if (access.tls_ca, certificate) != self._cache[:2]:
            self._cache = _Contexts(access.tls_ca, certificate, {})
        checks = self._checks_name(host)
        contexts = self._cache.by_check
        if checks not in contexts:
            contexts[checks] = self._make(access.tls_ca, certificate, checks=checks)
        return contexts[checks]

    def check(self, host: str, certificate: Mapping[str, Any] | None) -> None:
        """Check that a certificate with IP addresses has the one of its server.

        Args:
            host: The address of the server.
            certificate: As :meth:`ssl.SSLSocket.getpeercert` gives it.

        Raises:
            ssl.SSLCertVerificationError: If it does not have it.
        """
        if not _is_address(host) or self._options.get("ssl_check_hostname") is False:
            return
        names = (certificate or {}).get("subjectAltName", ())
        addresses = {ipaddress.ip_address(n) for kind, n in names if kind == "IP Address"}
        if addresses and ipaddress.ip_address(host) not in addresses:
            raise ssl.SSLCertVerificationError(
                1, f"IP address mismatch: the certificate of {host} is for other addresses"
            )

    def _checks_name(self, host: str) -> bool:
        # check() sees to addresses: many certificates have none.
        return bool(self._options.get("ssl_check_hostname", not _is_address(host)))

    def _make(
        self, ca: str, certificate: ClientCertificate | None, *, checks: bool
    ) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = checks
        context.minimum_version = self._options.get("ssl_min_version") or ssl.TLSVersion.TLSv1_2
        if ciphers := self._options.get("ssl_ciphers"):
            context.set_ciphers(ciphers)
        if ca:
            _trust(context, ca)
        else:
            # A provider whose certificates come from a public CA need not publish it.
            context.load_default_certs()
        if certificate:
            _load(context, certificate)
        elif file := self._options.get("ssl_certfile"):
            key, password = (self._options.get(name) for name in _FILES[1:])
            context.load_cert_chain(file, key, password)
        return context


def _trust(context: ssl.SSLContext, ca: str) -> None:
    try:
        context.load_verify_locations(cadata=ca)
    except (ssl.SSLError, ValueError) as error:
        raise UnusableError(
            "the provider's tls-ca contains no certificate that can be read"
        ) from error


def _load(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """Load a certificate with its key, which ``ssl`` reads from a file only.

    No other user can read the file, and it is removed before this returns.
    """
    with tempfile.NamedTemporaryFile("w", prefix="valkey-", suffix=".pem") as file:
        file.write(f"{certificate.private_key.strip()}\n{certificate.certificate.strip()}\n")
        file.flush()
        try:
            # Without a password, ssl would ask for that of an encrypted key on the terminal.
            context.load_cert_chain(file.name, password="")
        except (ssl.SSLError, ValueError) as error:
            raise UnusableError(
                "the client certificate cannot be read, or its private key is encrypted or that"
                " of another certificate"
            ) from error


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
