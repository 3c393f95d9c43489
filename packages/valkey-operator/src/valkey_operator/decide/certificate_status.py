"""What a unit's status says about its certificate."""

from __future__ import annotations

from datetime import datetime, timezone

import ops

from ..model.tls_policy import TlsPolicy
from ..model.unit_certificates import StoredCertificate, UnitCertificates

_WARNING_SECONDS = 7 * 24 * 3600.0
_WARNING_FRACTION = 0.1
"""The status warns of a certificate that should have been renewed by now: 7 days before it
expires, or a tenth of its life if that is shorter. The library requests its renewal after nine
tenths."""


def unit_statuses(
    certificates: UnitCertificates,
    policy: TlsPolicy,
    provider: str,
    now: datetime | None = None,
) -> list[ops.StatusBase]:
    """The statuses of a unit with a provider of certificates; none if all is well.

    Args:
        certificates: What the unit remembers of its certificates.
        policy: The leader's TLS policy.
        provider: The application that provides certificates.
        now: The current time; for tests.
    """
    time = (now or datetime.now(timezone.utc)).timestamp()
    statuses: list[ops.StatusBase] = []
    # What is in use comes first: of two that are blocked Juju shows the first.
    if stored := certificates.certificates.get(certificates.leaf(policy)):
        expiry = f"{datetime.fromtimestamp(stored.not_after, timezone.utc):%Y-%m-%d %H:%M} UTC"
        if time >= stored.not_after:
            effect = "connections fail" if policy.on else "TLS cannot be switched on"
            statuses.append(
                ops.BlockedStatus(
                    f"Certificate expired on {expiry} and {effect}: have {provider} renew it"
                )
            )
        elif time >= stored.not_after - warning_period(stored):
            statuses.append(
                ops.ActiveStatus(f"Certificate expires on {expiry}: have {provider} renew it")
            )
    if certificates.problem:
        statuses.append(ops.BlockedStatus(certificates.problem))
    elif not certificates.assigned_leaf:
        statuses.append(ops.WaitingStatus(f"Waiting for a certificate from {provider}"))
    return statuses


def warning_period(certificate: StoredCertificate) -> float:
    """The seconds before a certificate's expiry in which the status warns of it."""
    lifetime = certificate.not_after - certificate.not_before
    return min(_WARNING_SECONDS, _WARNING_FRACTION * lifetime)
