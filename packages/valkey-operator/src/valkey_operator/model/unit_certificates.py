"""What a unit remembers of its certificates, and which to use by the leader's TLS policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..rules.pem import certificate_digests, digest, trust_bundle
from .tls_policy import TlsPolicy

if TYPE_CHECKING:
    from ..rules.server_certificate import VerifiedCertificate


@dataclass(frozen=True)
class StoredCertificate:
    """A certificate that this unit has files of.

    Attributes:
        anchors: The trust anchors: the CA certificates (PEM) that others have to trust.
        not_before: When it becomes valid, in seconds since 1970.
        not_after: When it, or the first CA in its chain, expires, in seconds since 1970.
    """

    anchors: tuple[str, ...]
    not_before: float
    not_after: float


class TlsConfiguration(NamedTuple):
    """The TLS files of a server or Sentinel.

    Attributes:
        leaf: The name of the certificate; empty if none.
        bundle: The digest of the trust bundle.
    """

    leaf: str = ""
    bundle: str = ""


NO_CERTIFICATE = TlsConfiguration()


@dataclass(frozen=True)
class UnitCertificates:
    """What a unit remembers of its certificates.

    Attributes:
        certificates: Those that it has files of, by name. Names are digests.
        assigned_leaf: The name of the usable one that the provider issued last.
        server: What its server has loaded, even while it speaks plain.
        sentinel: What its Sentinel was started with; empty if it speaks plain.
        problem: Why what the provider wrote last cannot be used.
    """

    certificates: Mapping[str, StoredCertificate] = field(
        default_factory=dict[str, StoredCertificate]
    )
    assigned_leaf: str = ""
    server: TlsConfiguration = NO_CERTIFICATE
    sentinel: TlsConfiguration = NO_CERTIFICATE
    problem: str = ""

    # The keys of the file are those of the first release: a refresh of the charm reads it.

    @classmethod
    def read(cls, text: str | None) -> UnitCertificates:
        """From its file."""
        content: dict[str, Any] = json.loads(text or "{}")
        certificates = {
            name: StoredCertificate(tuple(entry["anchors"]), entry["begins"], entry["ends"])
            for name, entry in content.get("kept", {}).items()
        }
        return cls(
            certificates,
            content.get("offered", ""),
            TlsConfiguration(*content.get("server", ())),
            TlsConfiguration(*content.get("sentinel", ())),
            content.get("problem", ""),
        )

    def text(self) -> str:
        """For its file."""
        entries = {
            name: {
                "anchors": certificate.anchors,
                "begins": certificate.not_before,
                "ends": certificate.not_after,
            }
            for name, certificate in self.certificates.items()
        }
        return json.dumps(
            {
                "kept": entries,
                "offered": self.assigned_leaf,
                "server": self.server,
                "sentinel": self.sentinel,
                "problem": self.problem,
            }
        )

    def assign(self, certificate: VerifiedCertificate) -> UnitCertificates:
        """The same with a certificate that the provider has just issued."""
        stored = StoredCertificate(
            certificate.anchors, certificate.not_before, certificate.not_after
        )
        return replace(
            self,
            certificates={**self.certificates, certificate.name: stored},
            assigned_leaf=certificate.name,
            problem="",
        )

    def anchors(self, *names: str) -> tuple[str, ...]:
        """The trust anchors (PEM) of some certificates."""
        stored = [self.certificates[name] for name in names if name in self.certificates]
        return tuple(sorted({pem for certificate in stored for pem in certificate.anchors}))

    def leaf(self, policy: TlsPolicy) -> str:
        """The name of the certificate to use; empty for none.

        A new one is used once every unit is known to trust its CA, the old one until then. While
        servers speak plain, it is enough that the leader's policy has the CA.
        """
        usable = policy.issuers if policy.on else certificate_digests(policy.cas)
        anchors = certificate_digests(self.anchors(self.assigned_leaf))
        if anchors and anchors <= usable:
            return self.assigned_leaf
        if self.assigned_leaf or policy.on:
            return self.server.leaf or self.sentinel.leaf
        return ""

    def bundle(self, policy: TlsPolicy) -> str:
        """The trust bundle (PEM) of server and Sentinel; empty without a certificate."""
        leaf = self.leaf(policy)
        return trust_bundle(self.anchors(leaf), policy.cas, policy.client_cas) if leaf else ""

    def configuration(self, policy: TlsPolicy) -> TlsConfiguration:
        """What server and Sentinel should have loaded."""
        leaf = self.leaf(policy)
        return TlsConfiguration(leaf, digest(self.bundle(policy))) if leaf else NO_CERTIFICATE

    def sentinel_must_switch_tls(self, policy: TlsPolicy) -> bool:
        """Whether the Sentinel has to restart at once, from plain to TLS or back."""
        return bool(self.sentinel.leaf) != policy.on and bool(self.leaf(policy) or not policy.on)

    def sentinel_needs_restart(self, policy: TlsPolicy) -> bool:
        """Whether the Sentinel has other files than it should, and awaits a permit to restart."""
        has_tls = bool(self.sentinel.leaf) and policy.on
        return has_tls and self.sentinel != self.configuration(policy)

    def sentinel_certificate_has_expired(self, now: float) -> bool:
        """Whether nobody can connect to the Sentinel any more: it need not await a permit.

        Args:
            now: The current time, in seconds since 1970.
        """
        stored = self.certificates.get(self.sentinel.leaf)
        return stored is not None and now >= stored.not_after

    @property
    def names_in_use(self) -> frozenset[str]:
        """The names of the certificates whose files are needed."""
        return frozenset({self.assigned_leaf, self.server.leaf, self.sentinel.leaf} - {""})
