"""The relation with the provider of certificates.

Importing the ``tls_certificates`` library takes longer than the rest of the charm, so it is
imported only in hooks that may be about certificates, and only with a provider. The unit remembers
its provider: asking Juju would cost every hook a command.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import ops

from .files import TlsFiles

if TYPE_CHECKING:
    from charmlibs.interfaces import tls_certificates

    from .certificates_library import CertificatesRequirer

logger = logging.getLogger(__name__)

KEY_OPTION = "tls-private-key"

_DISCOVERY_HOOKS = ("start", "upgrade-charm")
"""Hooks in which a unit asks Juju for the relation: a new container remembers nothing."""

_CERTIFICATE_HOOKS = (
    *("start", "upgrade-charm", "config-changed", "update-status", "leader-elected"),
    *("secret-changed", "secret-expired", "secret-remove"),
)
"""Hooks that may be about certificates, beside those of the relation itself."""

_MAX_COMMON_NAME = 64
"""The longest common name (RFC 5280, upper bounds)."""


class KeyOptionError(ValueError):
    """The private key in the configuration cannot be used; the message is for the status."""


class Certificates(ops.Object):
    """Requests this unit's certificate.

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
        self._key_problem = ""
        self._stored.set_default(provider="")
        hook = os.environ.get("JUJU_DISPATCH_PATH", "").rpartition("/")[2]
        is_relation_hook = os.environ.get("JUJU_RELATION") == endpoint
        if is_relation_hook or hook in _DISCOVERY_HOOKS:
            relations = self.model.relations[endpoint]
            self._stored.provider = next((r.app.name for r in relations if r.active), "")
        self.is_relevant = is_relation_hook or (self.has_provider and hook in _CERTIFICATE_HOOKS)

    @property
    def provider(self) -> str:
        """The application that provides certificates; empty if none."""
        return str(self._stored.provider)

    @property
    def has_provider(self) -> bool:
        """Whether there is a provider of certificates."""
        return bool(self.provider)

    def request(self, address: str, dns_names: tuple[str, ...]) -> None:
        """Request a certificate, if this hook may be about certificates.

        The library observes events, so call this before the charm observes the same ones.

        Args:
            address: The address that the unit's servers announce.
            dns_names: The DNS names of the unit.
        """
        if not self.is_relevant or not address:
            return
        from charmlibs.interfaces import tls_certificates as library  # noqa: PLC0415

        from .certificates_library import CertificatesRequirer  # noqa: PLC0415

        attributes = library.CertificateRequestAttributes(
            common_name=self.model.unit.name[-_MAX_COMMON_NAME:],
            sans_dns=dns_names,
            sans_ip=[address],
        )
        try:
            key = self._configured_key()
        except KeyOptionError as error:
            self._key_problem = str(error)
            return
        events = self._charm.on
        self._library = CertificatesRequirer(
            self._charm,
            self._endpoint,
            certificate_requests=[attributes],
            refresh_events=[events.config_changed, events.secret_changed, events.update_status],
            private_key=key,
            key_algorithm=library.KeyAlgorithm.ECDSA,
        )

    def _configured_key(self) -> tls_certificates.PrivateKey | None:
        """The private key in the configuration, None if the library is to generate one.

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
                f"Cannot read the secret in {KEY_OPTION}: grant it to {self.model.app.name}"
            ) from None
        try:
            key = PrivateKey.from_string(content.get("private-key", ""))
        except (TLSCertificatesError, ValueError):
            key = None
        if key is None or not key.is_valid():
            raise KeyOptionError(
                f"No usable private-key in the secret of {KEY_OPTION}: set an EC key, or an RSA"
                " key of at least 2048 bits, in PEM"
            )
        return key

    def receive(self, files: TlsFiles, *, has_tls: bool) -> None:
        """Read what the provider wrote, if this hook may be about certificates.

        Args:
            files: The unit's certificates.
            has_tls: Whether its server was built with TLS.
        """
        if not self.is_relevant:
            return
        if not self.has_provider:
            files.unassign()
        elif not has_tls:
            files.refuse(
                "valkey-server was built without TLS: install one with TLS, or remove the"
                f" relation with {self.provider}"
            )
        elif self._key_problem:
            files.refuse(self._key_problem)
        elif self._library is not None:
            self._receive(files, self._library)

    def _receive(self, files: TlsFiles, library: CertificatesRequirer) -> None:
        from ..rules.server_certificate import (  # noqa: PLC0415
            CertificateError,
            UnverifiedCertificate,
            verify,
        )

        if errors := library.current_request_errors():
            files.refuse(f"{self.provider} denied the certificate request: {errors[0]}")
            return
        answer = library.current_certificates()
        logger.debug("certificates from %s: %d", self.provider, len(answer.certificates))
        key = str(library.private_key or "")
        for certificate in answer.certificates:
            try:
                files.accept(
                    verify(
                        UnverifiedCertificate(
                            certificate.leaf, certificate.chain, certificate.ca, key
                        )
                    )
                )
            except CertificateError as error:
                files.refuse(f"Certificate from {self.provider} refused: {error}")
        if answer.problem and not answer.certificates:
            files.refuse(
                f"Malformed data from {self.provider}: {answer.problem}; have it issue the"
                " certificate again"
            )
        elif not answer.certificates:
            files.clear_problem()
