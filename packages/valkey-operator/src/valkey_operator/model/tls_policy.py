"""What units and the leader tell each other about TLS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..rules.pem import fingerprints, trust_bundle

_CHANGING, _ON = "changing", "on"
"""What the databag says from the leader's word on, and when all have followed it."""


@dataclass(frozen=True)
class UnitTlsReport:
    """What a unit tells.

    Attributes:
        leaf: The certificate that its server has, by name; empty as long as it cannot serve TLS.
        anchors: The CA certificates of all certificates that it has or is about to use.
        trusts: Fingerprints of the CA certificates that its server trusts, and its Sentinel too if
            that speaks TLS.
    """

    leaf: str = ""
    anchors: tuple[str, ...] = ()
    trusts: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str) -> UnitTlsReport:
        """From a databag."""
        said: dict[str, Any] = json.loads(text or "{}")
        return cls(
            leaf=said.get("leaf", ""),
            anchors=tuple(said.get("anchors", ())),
            trusts=frozenset(said.get("trusts", ())),
        )

    def text(self) -> str:
        """For a databag; empty if there is nothing to say."""
        if self == UnitTlsReport():
            return ""
        said = {"leaf": self.leaf, "anchors": self.anchors, "trusts": sorted(self.trusts)}
        return json.dumps(said)


@dataclass(frozen=True)
class TlsPolicy:
    """What the leader tells.

    Attributes:
        on: Whether servers and Sentinels are to speak TLS, or else nothing but plain.
        is_strict: Whether all of them have changed to TLS, so that nobody speaks plain any more.
        cas: The CA certificates that all of them and all clients trust.
        issuers: Fingerprints of those that they do trust, so that a certificate of theirs may be
            used.
        proofs: CA certificates of clients that may show one of theirs, by who asked for it; see
            :mod:`.client_cas_by_source`.
    """

    on: bool = False
    is_strict: bool = False
    cas: tuple[str, ...] = ()
    issuers: frozenset[str] = frozenset()
    client_cas_by_source: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict[str, tuple[str, ...]]
    )

    @classmethod
    def read(cls, bag: Mapping[str, str]) -> TlsPolicy:
        """From the application's databag."""
        return cls(
            on=bag.get("tls") in {_CHANGING, _ON},
            is_strict=bag.get("tls") == _ON,
            cas=tuple(json.loads(bag.get("tls-cas") or "[]")),
            issuers=frozenset(json.loads(bag.get("tls-issuers") or "[]")),
            client_cas_by_source={
                source: tuple(pems)
                for source, pems in json.loads(bag.get("client-cas") or "{}").items()
            },
        )

    def entries(self) -> dict[str, str]:
        """For the application's databag."""
        tls = _ON if self.is_strict else _CHANGING if self.on else ""
        return {
            "tls": tls,
            "tls-cas": json.dumps(self.cas) if self.cas else "",
            "tls-issuers": json.dumps(sorted(self.issuers)) if self.issuers else "",
            "client-cas": json.dumps(self.client_cas_by_source, sort_keys=True)
            if self.client_cas_by_source
            else "",
        }

    @property
    def client_cas(self) -> tuple[str, ...]:
        """CA certificates of clients that may show one of theirs."""
        return tuple(sorted({pem for pems in self.client_cas_by_source.values() for pem in pems}))

    @property
    def trusted(self) -> frozenset[str]:
        """Fingerprints of all that servers are to trust."""
        return fingerprints((*self.cas, *self.client_cas))

    @property
    def bundle(self) -> str:
        """What clients and the charm itself trust servers by: no client's CA is in it."""
        return trust_bundle((), self.cas)
