"""What a unit remembers of its certificates, and what follows from it and the leader's word."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..rules.pem import fingerprint, fingerprints, trust_bundle
from .tls_policy import TlsPolicy

if TYPE_CHECKING:
    from ..rules.server_certificate import CertificateIdentity


@dataclass(frozen=True)
class StoredCertificate:
    """A certificate that this unit has files of.

    Attributes:
        anchors: The CA certificates that others have to trust.
        begins: When it begins to be valid, in seconds since 1970.
        ends: When it expires.
    """

    anchors: tuple[str, ...]
    begins: float
    ends: float


class LoadedFiles(NamedTuple):
    """What a server or Sentinel was given.

    Attributes:
        leaf: The certificate, by name; empty if none.
        bundle: The fingerprint of what it trusts.
    """

    leaf: str = ""
    bundle: str = ""


NO_FILES = LoadedFiles()


@dataclass(frozen=True)
class CertificateState:
    """What a unit remembers.

    Attributes:
        kept: The certificates that it has files of, by name.
        offered: The one that the provider gave last and that can be used, by name.
        server: What its server was given; it may speak plain all the same.
        sentinel: What its Sentinel was started with; empty if it speaks plain.
        problem: Why what the provider gave last cannot be used.
    """

    kept: Mapping[str, StoredCertificate] = field(default_factory=dict[str, StoredCertificate])
    offered: str = ""
    server: LoadedFiles = NO_FILES
    sentinel: LoadedFiles = NO_FILES
    problem: str = ""

    @classmethod
    def read(cls, text: str | None) -> CertificateState:
        """From its file."""
        said: dict[str, Any] = json.loads(text or "{}")
        kept = {
            name: StoredCertificate(tuple(entry["anchors"]), entry["begins"], entry["ends"])
            for name, entry in said.get("kept", {}).items()
        }
        return cls(
            kept,
            said.get("offered", ""),
            LoadedFiles(*said.get("server", ())),
            LoadedFiles(*said.get("sentinel", ())),
            said.get("problem", ""),
        )

    def text(self) -> str:
        """For its file."""
        return json.dumps(asdict(self))

    def offer(self, identity: CertificateIdentity) -> CertificateState:
        """The same with a certificate that was given now."""
        kept = StoredCertificate(identity.anchors, identity.begins, identity.ends)
        return replace(
            self, kept={**self.kept, identity.name: kept}, offered=identity.name, problem=""
        )

    def anchors(self, *names: str) -> tuple[str, ...]:
        """The CA certificates of some certificates."""
        found = {pem for name in names if name in self.kept for pem in self.kept[name].anchors}
        return tuple(sorted(found))

    def leaf(self, policy: TlsPolicy) -> str:
        """The certificate to use, by name; empty for none.

        A new one is used when everybody is known to trust its CA, the old one until then. While
        all is plain nobody has to, yet.
        """
        allowed = policy.issuers if policy.on else fingerprints(policy.cas)
        anchors = fingerprints(self.anchors(self.offered))
        if anchors and anchors <= allowed:
            return self.offered
        if self.offered or policy.on:
            return self.server.leaf or self.sentinel.leaf
        return ""

    def bundle(self, policy: TlsPolicy) -> str:
        """Whom to trust, as the text of a file; empty without a certificate."""
        leaf = self.leaf(policy)
        return trust_bundle(self.anchors(leaf), policy.cas, policy.client_cas) if leaf else ""

    def wanted(self, policy: TlsPolicy) -> LoadedFiles:
        """What the server shall be given."""
        leaf = self.leaf(policy)
        return LoadedFiles(leaf, fingerprint(self.bundle(policy))) if leaf else NO_FILES

    def sentinel_must_switch_tls(self, policy: TlsPolicy) -> bool:
        """Whether the Sentinel has to be started again at once, from plain to TLS or back."""
        return bool(self.sentinel.leaf) != policy.on and bool(self.leaf(policy) or not policy.on)

    def sentinel_needs_restart(self, policy: TlsPolicy) -> bool:
        """Whether the Sentinel has other files than it should, and waits for its turn."""
        return bool(self.sentinel.leaf) and policy.on and self.sentinel != self.wanted(policy)

    def sentinel_certificate_has_expired(self, now: float) -> bool:
        """Whether nobody can connect to the Sentinel any more, and it has nothing to wait for."""
        used = self.kept.get(self.sentinel.leaf)
        return used is not None and now >= used.ends

    @property
    def in_use(self) -> frozenset[str]:
        """The certificates whose files are needed."""
        return frozenset({self.offered, self.server.leaf, self.sentinel.leaf} - {""})
