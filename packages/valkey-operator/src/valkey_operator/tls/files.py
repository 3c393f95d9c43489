"""The files of this unit's certificates, and which of them its server and Sentinel have loaded.

The names of files hold a digest of their content, so that a certificate never stands beside the
key of another, wherever a hook dies.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..model.tls_policy import TlsPolicy, UnitTlsReport
from ..model.unit_certificates import NO_CERTIFICATE, TlsConfiguration, UnitCertificates
from ..rules.pem import certificate_digests
from ..workload import Service, Workload

if TYPE_CHECKING:
    from ..rules.server_certificate import VerifiedCertificate

logger = logging.getLogger(__name__)

_STATE = "tls.json"


class SettingsWriter(Protocol):
    """Changes settings of this unit's server, all at once."""

    def __call__(self, settings: Mapping[str, str]) -> None:
        """Change them."""
        ...


class TlsFiles:
    """This unit's certificates: their files and their use.

    Args:
        workload: Where the files are.
        policy: The leader's TLS policy.

    Attributes:
        policy: The same.
        certificates: What the unit remembers of its certificates.
    """

    def __init__(self, workload: Workload, policy: TlsPolicy):
        self._workload = workload
        self.policy = policy
        self.certificates = UnitCertificates.read(workload.read(_STATE))

    # What the provider of certificates wrote.

    def accept(self, certificate: VerifiedCertificate) -> None:
        """Store a certificate, to be used as soon as every unit trusts its CA."""
        name = certificate.name
        if name == self.certificates.assigned_leaf and not self.certificates.problem:
            return
        expiry = datetime.fromtimestamp(certificate.not_after, timezone.utc)
        logger.info(
            "certificate accepted: %s, SHA-256 fingerprint %s, expires %s UTC, CA %s",
            _certificate_file(name),
            certificate.fingerprint,
            f"{expiry:%Y-%m-%d %H:%M}",
            certificate.ca_name,
        )
        self._workload.write(_key_file(name), certificate.key)
        self._workload.write(_certificate_file(name), certificate.chain)
        self._save(self.certificates.assign(certificate))

    def refuse(self, problem: str) -> None:
        """Keep the certificate that there is, and record why the provider's cannot be used."""
        if problem != self.certificates.problem:
            logger.info("certificates: %s", problem)
        self._save(replace(self.certificates, problem=problem))

    def clear_problem(self) -> None:
        """Record that the provider has yet to answer."""
        if self.certificates.problem:
            logger.info("waiting for a certificate; the previous problem is resolved")
        self._save(replace(self.certificates, problem=""))

    def unassign(self) -> None:
        """Record that the provider is gone; its certificate is used until all is plain."""
        certificates = replace(self.certificates, assigned_leaf="", problem="")
        if certificates != self.certificates:
            logger.info("the provider of certificates is gone")
        self._save(certificates)

    # The server and the Sentinel.

    @property
    def can_start(self) -> bool:
        """Whether the servers can start as they should now: with TLS they need a certificate."""
        return not self.policy.on or bool(self.certificates.leaf(self.policy))

    @property
    def sentinel_must_switch_tls(self) -> bool:
        """See :meth:`UnitCertificates.sentinel_must_switch_tls`."""
        return self.certificates.sentinel_must_switch_tls(self.policy)

    @property
    def sentinel_needs_restart(self) -> bool:
        """See :meth:`UnitCertificates.sentinel_needs_restart`."""
        return self.certificates.sentinel_needs_restart(self.policy)

    @property
    def sentinel_certificate_has_expired(self) -> bool:
        """See :meth:`UnitCertificates.sentinel_certificate_has_expired`."""
        return self.certificates.sentinel_certificate_has_expired(time.time())

    def config_lines(self, port: int) -> list[str]:
        """The last lines of a configuration file; none if servers speak plain.

        Args:
            port: The port on which to speak TLS.
        """
        if not self.policy.on:
            return []
        self._write_bundle()
        settings = self._settings(self.certificates.configuration(self.policy))
        return [
            *("port 0", f"tls-port {port}", "tls-replication yes"),
            *(f'{name} "{value}"' for name, value in settings.items()),
        ]

    def record_start(self, services: Collection[Service]) -> None:
        """Record which services have just been started, with :meth:`config_lines`."""
        configuration = NO_CERTIFICATE
        if self.policy.on:
            configuration = self.certificates.configuration(self.policy)
        for service in services:
            if configuration != getattr(self.certificates, service):
                logger.info("%s has started with %s", _TITLES[service], _describe(configuration))
        self._save(replace(self.certificates, **dict.fromkeys(services, configuration)))

    def configure(self, configure_server: SettingsWriter) -> None:
        """Have the running server load the certificate and the trust bundle that it should have.

        Args:
            configure_server: Changes its settings; whatever it raises is raised.
        """
        configuration = self.certificates.configuration(self.policy)
        if configuration == self.certificates.server:
            return
        self._write_bundle()
        configure_server(self._settings(configuration))
        logger.info("the server has loaded %s", _describe(configuration))
        self._save(replace(self.certificates, server=configuration))

    def report(self) -> UnitTlsReport:
        """What to publish to the other units."""
        certificates = self.certificates
        trusted = self._trusted_digests(certificates.server)
        if certificates.sentinel.leaf:
            trusted &= self._trusted_digests(certificates.sentinel)
        server = certificates.server
        is_ready = server.leaf and server == certificates.configuration(self.policy)
        return UnitTlsReport(
            leaf=server.leaf if is_ready else "",
            anchors=certificates.anchors(*certificates.names_in_use),
            trusted_digests=trusted,
        )

    # Files.

    def _save(self, certificates: UnitCertificates) -> None:
        """Save what to remember, and remove the files that nothing uses any more."""
        before = self.certificates
        if certificates == before:
            return
        unused = certificates.certificates.keys() - certificates.names_in_use
        used = {k: v for k, v in certificates.certificates.items() if k not in unused}
        bundles = {before.server.bundle, before.sentinel.bundle}
        bundles -= {certificates.server.bundle, certificates.sentinel.bundle, ""}
        self.certificates = replace(certificates, certificates=used)
        self._workload.write(_STATE, self.certificates.text())
        for file in (
            *map(_certificate_file, unused),
            *map(_key_file, unused),
            *map(_bundle_file, bundles),
        ):
            self._workload.remove(file)

    def _write_bundle(self) -> None:
        bundle = self.certificates.configuration(self.policy).bundle
        file = _bundle_file(bundle)
        if bundle and self._workload.read(file) is None:
            self._workload.write(file, self.certificates.bundle(self.policy) + "\n")

    def _trusted_digests(self, configuration: TlsConfiguration) -> frozenset[str]:
        bundle = configuration.bundle
        text = self._workload.read(_bundle_file(bundle)) if bundle else None
        return certificate_digests([text or ""])

    def _settings(self, configuration: TlsConfiguration) -> dict[str, str]:
        leaf = configuration.leaf
        files = (_certificate_file(leaf), _key_file(leaf), _bundle_file(configuration.bundle))
        paths = [str(self._path(file)) if leaf else "" for file in files]
        options = ("tls-cert-file", "tls-key-file", "tls-ca-cert-file")
        # A client without a certificate authenticates by its password alone.
        return {**dict(zip(options, paths, strict=True)), "tls-auth-clients": "optional"}

    def _path(self, file: str) -> Path:
        return self._workload.directory / file


_TITLES: Mapping[Service, str] = {"server": "the server", "sentinel": "the Sentinel"}


def _describe(configuration: TlsConfiguration) -> str:
    if not configuration.leaf:
        return "no certificate"
    certificate, bundle = (
        _certificate_file(configuration.leaf),
        _bundle_file(configuration.bundle),
    )
    return f"certificate {certificate} and trust bundle {bundle}"


def _certificate_file(name: str) -> str:
    return f"tls-{name}.crt"


def _key_file(name: str) -> str:
    return f"tls-{name}.key"


def _bundle_file(digest: str) -> str:
    return f"tls-ca-{digest}.pem"
