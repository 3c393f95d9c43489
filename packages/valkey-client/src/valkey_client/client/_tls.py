"""How a connection is secured: as the provider says at the moment when it is made.

The contexts are this module's own, because those of valkey-py trust the machine's CAs beside the
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
"""The options of valkey-py that are obeyed."""


class UnusableError(ssl.SSLError):
    """A CA or client certificate is not what it should be."""


class _Kept(NamedTuple):
    """The contexts for what was said last, by whether they check the host name."""

    ca: str
    certificate: ClientCertificate | None
    contexts: dict[bool, ssl.SSLContext]


class Tls:
    """Secures the connections of one client.

    Args:
        source: Says whether there is TLS, and whom to trust.
        certificate: What the client proves itself with, if it does.
        options: Those of :data:`OPTIONS` that the caller gave.
    """

    def __init__(
        self, source: Source, certificate: CertificateSource | None, options: Mapping[str, Any]
    ):
        self._source = source
        self._certificate = certificate
        self._options = options
        self._kept = _Kept("", None, {})

    @property
    def is_on(self) -> bool:
        """Whether the provider says TLS."""
        return self._source.access.tls

    def context(self, host: str) -> ssl.SSLContext | None:
        """What to connect to a host with; None without TLS.

        Raises:
            UnusableError: If a certificate cannot be read.
        """
        access = self._source.access
        if not access.tls:
            return None
        given = self._certificate() if callable(self._certificate) else self._certificate
        if (access.tls_ca, given) != self._kept[:2]:
            self._kept = _Kept(access.tls_ca, given, {})
        checks = self._checks_name(host)
        contexts = self._kept.contexts
        if checks not in contexts:
            contexts[checks] = self._make(access.tls_ca, given, checks=checks)
        return contexts[checks]

    def check(self, host: str, certificate: Mapping[str, Any] | None) -> None:
        """See that a certificate which names IP addresses names the one that it was shown at.

        Args:
            host: Where the connection leads.
            certificate: As :meth:`ssl.SSLSocket.getpeercert` gives it.

        Raises:
            ssl.SSLCertVerificationError: If it does not.
        """
        if not _is_address(host) or self._options.get("ssl_check_hostname") is False:
            return
        names = (certificate or {}).get("subjectAltName", ())
        named = {ipaddress.ip_address(n) for kind, n in names if kind == "IP Address"}
        if named and ipaddress.ip_address(host) not in named:
            raise ssl.SSLCertVerificationError(
                1, f"IP address mismatch: the certificate of {host} is for other addresses"
            )

    def _checks_name(self, host: str) -> bool:
        # Addresses are left to check(): many certificates have none.
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
            _show(context, certificate)
        elif file := self._options.get("ssl_certfile"):
            key, password = (self._options.get(name) for name in _FILES[1:])
            context.load_cert_chain(file, key, password)
        return context


def _trust(context: ssl.SSLContext, ca: str) -> None:
    try:
        context.load_verify_locations(cadata=ca)
    except (ssl.SSLError, ValueError) as error:
        raise UnusableError(
            "tls-ca, which the provider published, holds no certificate that can be read"
        ) from error


def _show(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """Load a certificate with its key, which ``ssl`` takes from a file only.

    Nobody else can read the file, and it is gone when this returns.
    """
    with tempfile.NamedTemporaryFile("w", prefix="valkey-", suffix=".pem") as file:
        file.write(f"{certificate.private_key.strip()}\n{certificate.certificate.strip()}\n")
        file.flush()
        try:
            # Without a password to try, an encrypted key would be asked for on the terminal.
            context.load_cert_chain(file.name, password="")
        except (ssl.SSLError, ValueError) as error:
            raise UnusableError(
                "the client certificate cannot be read, or its private key is another's or"
                " encrypted"
            ) from error


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
