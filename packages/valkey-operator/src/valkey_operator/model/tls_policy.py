"""What the leader and the units tell each other about TLS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..rules.pem import certificate_digests, trust_bundle

_SWITCHING, _ON = "changing", "on"
"""In the databag: servers and Sentinels are to speak TLS, and all of them do."""


@dataclass(frozen=True)
class UnitTlsReport:
    """What a unit publishes of its certificates.

    Attributes:
        leaf: The name of the certificate that its server has loaded; empty as long as the server
            cannot serve TLS. Names are digests.
        anchors: The trust anchors (PEM) of all certificates that it has or is about to use.
        trusted_digests: The digests of the CA certificates that its server trusts, and its
            Sentinel too if that speaks TLS.
    """

    leaf: str = ""
    anchors: tuple[str, ...] = ()
    trusted_digests: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str) -> UnitTlsReport:
        """From a databag."""
        content: dict[str, Any] = json.loads(text or "{}")
        return cls(
            leaf=content.get("leaf", ""),
            anchors=tuple(content.get("anchors", ())),
            trusted_digests=frozenset(content.get("trusts", ())),
        )

    def text(self) -> str:
        """For a databag; empty if there is nothing to report."""
        if self == UnitTlsReport():
            return ""
        trusts = sorted(self.trusted_digests)
        return json.dumps({"leaf": self.leaf, "anchors": self.anchors, "trusts": trusts})


@dataclass(frozen=True)
class TlsPolicy:
    """What the leader decides for all units.

    Attributes:
        on: Whether servers and Sentinels are to speak TLS; if not, they speak plain.
        is_strict: Whether all of them have switched to TLS, so that nobody speaks plain any more.
        cas: The CA certificates (PEM) that all of them and all clients are to trust.
        issuers: The digests of those CA certificates that every unit does trust, so that a
            certificate of theirs may be used.
        client_cas_by_source: The CA certificates (PEM) of clients, by who asked for them; see
            :mod:`valkey_operator.decide.client_cas`.
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
            on=bag.get("tls") in {_SWITCHING, _ON},
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
        tls = _ON if self.is_strict else _SWITCHING if self.on else ""
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
        """The CA certificates (PEM) of clients."""
        return tuple(sorted({pem for pems in self.client_cas_by_source.values() for pem in pems}))

    @property
    def trusted_digests(self) -> frozenset[str]:
        """The digests of all CA certificates that servers are to trust."""
        return certificate_digests((*self.cas, *self.client_cas))

    @property
    def bundle(self) -> str:
        """The trust bundle of clients and of the charm, for servers: without CAs of clients."""
        return trust_bundle((), self.cas)
