"""This unit's certificates: their files, and who was given them.

A file's name holds a digest of what is in it, so that a certificate never stands beside the key of
another, wherever a hook dies.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..model.tls_policy import TlsPolicy, UnitTlsReport
from ..model.unit_certificates import NO_FILES, CertificateState, LoadedFiles
from ..rules.pem import fingerprints
from ..workload import Service, Workload

if TYPE_CHECKING:
    from ..rules.server_certificate import VerifiedCertificate

_STATE = "tls.json"


class ConfigureServer(Protocol):
    """Changes settings of this unit's server, all at once."""

    def __call__(self, settings: Mapping[str, str]) -> None:
        """Change them."""
        ...


class TlsFiles:
    """What this unit has, and what it does with it.

    Args:
        workload: Where the files are.
        word: What the leader tells.
    """

    def __init__(self, workload: Workload, policy: TlsPolicy):
        self._workload = workload
        self.policy = policy
        self.state = CertificateState.read(workload.read(_STATE))

    # What the provider of certificates says.

    def accept(self, checked: VerifiedCertificate) -> None:
        """Keep a certificate, to be used as soon as everybody trusts its CA."""
        name = checked.identity.name
        if name == self.state.offered and not self.state.problem:
            return
        self._workload.write(_key(name), checked.key)
        self._workload.write(_certificate(name), checked.chain)
        self._save(self.state.offer(checked.identity))

    def refuse(self, problem: str) -> None:
        """Keep what there is, and say why."""
        self._save(replace(self.state, problem=problem))

    def withdraw_offer(self) -> None:
        """The relation is gone: offer nothing any more."""
        self._save(replace(self.state, offered="", problem=""))

    # The server and the Sentinel.

    @property
    def can_start(self) -> bool:
        """Whether the servers can be started as they should be now."""
        return not self.policy.on or bool(self.state.leaf(self.policy))

    @property
    def sentinel_must_switch_tls(self) -> bool:
        """See :meth:`CertificateState.sentinel_must_switch_tls`."""
        return self.state.sentinel_must_switch_tls(self.policy)

    @property
    def sentinel_needs_restart(self) -> bool:
        """See :meth:`CertificateState.sentinel_needs_restart`."""
        return self.state.sentinel_needs_restart(self.policy)

    @property
    def sentinel_certificate_has_expired(self) -> bool:
        """See :meth:`CertificateState.sentinel_certificate_has_expired`."""
        return self.state.sentinel_certificate_has_expired(time.time())

    def lines(self, port: int) -> list[str]:
        """What a configuration file ends with, if servers speak TLS."""
        if not self.policy.on:
            return []
        self._write_bundle()
        settings = self._settings(self.state.wanted(self.policy))
        return [
            *("port 0", f"tls-port {port}", "tls-replication yes"),
            *(f'{name} "{value}"' for name, value in settings.items()),
        ]

    def record_start(self, services: Collection[Service]) -> None:
        """Note what was started just now, with :meth:`lines`."""
        given = self.state.wanted(self.policy) if self.policy.on else NO_FILES
        self._save(replace(self.state, **dict.fromkeys(services, given)))

    def configure(self, configure_server: ConfigureServer) -> None:
        """Give the server that runs the certificate and the CAs that it should have."""
        wanted = self.state.wanted(self.policy)
        if wanted == self.state.server:
            return
        self._write_bundle()
        configure_server(self._settings(wanted))
        self._save(replace(self.state, server=wanted))

    def report(self) -> UnitTlsReport:
        """What to tell the others."""
        state = self.state
        trusts = self._trusts(state.server)
        if state.sentinel.leaf:
            trusts &= self._trusts(state.sentinel)
        is_ready = state.server.leaf and state.server == state.wanted(self.policy)
        return UnitTlsReport(
            leaf=state.server.leaf if is_ready else "",
            anchors=state.anchors(*state.in_use),
            trusts=trusts,
        )

    # Files.

    def _save(self, state: CertificateState) -> None:
        if state == self.state:
            return
        unused = state.kept.keys() - state.in_use
        kept = {name: kept for name, kept in state.kept.items() if name not in unused}
        bundles = {loaded.bundle for loaded in (self.state.server, self.state.sentinel)}
        bundles -= {loaded.bundle for loaded in (state.server, state.sentinel)}
        self.state = replace(state, kept=kept)
        self._workload.write(_STATE, self.state.text())
        for name in (
            *map(_certificate, unused),
            *map(_key, unused),
            *map(_bundle, bundles - {""}),
        ):
            self._workload.remove(name)

    def _write_bundle(self) -> None:
        wanted = self.state.wanted(self.policy)
        name = _bundle(wanted.bundle)
        if wanted.bundle and self._workload.read(name) is None:
            self._workload.write(name, self.state.bundle(self.policy) + "\n")

    def _trusts(self, loaded: LoadedFiles) -> frozenset[str]:
        text = self._workload.read(_bundle(loaded.bundle)) if loaded.bundle else None
        return fingerprints([text or ""])

    def _settings(self, loaded: LoadedFiles) -> dict[str, str]:
        names = (_certificate(loaded.leaf), _key(loaded.leaf), _bundle(loaded.bundle))
        paths = [str(self._path(name)) if loaded.leaf else "" for name in names]
        options = ("tls-cert-file", "tls-key-file", "tls-ca-cert-file")
        # A client without a certificate proves itself by its password alone.
        return {**dict(zip(options, paths, strict=True)), "tls-auth-clients": "optional"}

    def _path(self, name: str) -> Path:
        return self._workload.directory / name


def _certificate(name: str) -> str:
    return f"tls-{name}.crt"


def _key(name: str) -> str:
    return f"tls-{name}.key"


def _bundle(fingerprint: str) -> str:
    return f"tls-ca-{fingerprint}.pem"
