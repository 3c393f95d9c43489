"""The relation with the provider of certificates.

The library that knows it costs more to import than all the rest of the charm, so it is imported
where there is such a relation and in hooks that may be about it. That there is one, a unit
remembers: to ask Juju would cost every hook a command.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import ops

from .files import TlsFiles

if TYPE_CHECKING:
    from charmlibs.interfaces import tls_certificates

    from .certificates_library import CertificatesRequirer

KEY_OPTION = "tls-private-key"

_TIMES_TO_LOOK = ("start", "upgrade-charm")
"""Hooks in which a unit asks Juju for the relation: a container that is new remembers nothing."""

_TIMES_TO_ASK = (
    *("start", "upgrade-charm", "config-changed", "update-status", "leader-elected"),
    *("secret-changed", "secret-expired", "secret-remove"),
)
"""Hooks that may be about certificates, beside those of the relation itself."""

_LONGEST_NAME = 64
"""Of a common name (RFC 5280, upper bounds)."""


class KeyOptionError(ValueError):
    """The private key that the operator gives cannot be used; the message is for the status."""


class Certificates(ops.Object):
    """Asks for this unit's certificate.

    Args:
        charm: The charm.
        endpoint: The name of the endpoint.
    """

    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase, endpoint: str):
        super().__init__(charm, f"certificates-{endpoint}")
        self._charm = charm
        self._endpoint = endpoint
        self._library: CertificatesRequirer | None = None
        self._problem = ""
        self._stored.set_default(related=False)
        hook = os.environ.get("JUJU_DISPATCH_PATH", "").rpartition("/")[2]
        self._is_about_it = os.environ.get("JUJU_RELATION") == endpoint
        if self._is_about_it or hook in _TIMES_TO_LOOK:
            self._stored.related = any(r.active for r in self.model.relations[endpoint])
        self.is_asked = self._is_about_it or (self.exists and hook in _TIMES_TO_ASK)

    @property
    def exists(self) -> bool:
        """Whether there is a provider of certificates."""
        return bool(self._stored.related)

    def ask(self, address: str, names: tuple[str, ...]) -> None:
        """Ask for a certificate, if this hook may be about one.

        The library observes events, so this comes before the charm observes the same.

        Args:
            address: What the unit's servers announce.
            names: Its DNS names.
        """
        if not self.is_asked or not address:
            return
        from charmlibs.interfaces import tls_certificates as library  # noqa: PLC0415

        from .certificates_library import CertificatesRequirer  # noqa: PLC0415

        unit = self.model.unit.name
        request = library.CertificateRequestAttributes(
            common_name=unit if len(unit) <= _LONGEST_NAME else unit[-_LONGEST_NAME:],
            sans_dns=names,
            sans_ip=[address],
        )
        try:
            key = self._given_key()
        except KeyOptionError as error:
            self._problem = str(error)
            return
        events = self._charm.on
        self._library = CertificatesRequirer(
            self._charm,
            self._endpoint,
            certificate_requests=[request],
            refresh_events=[events.config_changed, events.secret_changed, events.update_status],
            private_key=key,
            key_algorithm=library.KeyAlgorithm.ECDSA,
        )

    def _given_key(self) -> tls_certificates.PrivateKey | None:
        """The private key of the configuration, None if the library is to make one.

        Raises:
            KeyOptionError: If it cannot be used.
        """
        uri = self._charm.config.get(KEY_OPTION)
        if not uri:
            return None
        from charmlibs.interfaces.tls_certificates import (  # noqa: PLC0415
            PrivateKey,
            TLSCertificatesError,
        )

        try:
            secret = self.model.get_secret(id=str(uri))
            content = secret.get_content(refresh=True)
        except (ops.SecretNotFoundError, ops.ModelError):
            raise KeyOptionError(
                f"{KEY_OPTION} names a secret that cannot be read; grant it to"
                f" {self.model.app.name}"
            ) from None
        try:
            key = PrivateKey.from_string(content.get("private-key", ""))
        except (TLSCertificatesError, ValueError):
            key = None
        if key is None or not key.is_valid():
            raise KeyOptionError(
                f"the secret of {KEY_OPTION} must hold, as private-key, an RSA key of 2048 bits or"
                " more, or an EC key, in PEM"
            )
        return key

    def receive(self, unit: TlsFiles, *, has_tls: bool) -> None:
        """Take what the provider gave, if this hook may be about it.

        Args:
            unit: What this unit has.
            has_tls: Whether its server was built with TLS.
        """
        if not self.is_asked:
            return
        if not self.exists:
            unit.withdraw_offer()
        elif not has_tls:
            unit.refuse(
                "this valkey-server was built without TLS; install one with it, or remove the"
                f" relation {self._endpoint}"
            )
        elif self._problem:
            unit.refuse(self._problem)
        elif self._library is not None:
            self._receive(unit, self._library)

    def _receive(self, unit: TlsFiles, library: CertificatesRequirer) -> None:
        from ..rules.server_certificate import CertificateError, UnverifiedCertificate, check  # noqa: PLC0415

        if refusals := library.refusals():
            unit.refuse(f"relation {self._endpoint}: the request was denied: {refusals[0]}")
            return
        found = library.answers()
        key = str(library.private_key or "")
        for issued_certificate in found.issued_certificates:
            try:
                unit.accept(
                    check(
                        UnverifiedCertificate(
                            issued_certificate.leaf,
                            issued_certificate.chain,
                            issued_certificate.ca,
                            key,
                        )
                    )
                )
            except CertificateError as error:
                unit.refuse(
                    f"relation {self._endpoint}: the certificate for {self.model.unit.name} is not"
                    f" used: {error}"
                )
        if not found.issued_certificates:
            said = (
                f"relation {self._endpoint}: the provider's data cannot be read: {found.problem}"
            )
            unit.refuse(f"{said}; let it issue anew" if found.problem else "")
