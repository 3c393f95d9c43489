"""What a unit's status says of its certificate."""

from __future__ import annotations

from datetime import datetime, timezone

import ops

from ..model.tls_policy import TlsPolicy
from ..model.unit_certificates import CertificateState, StoredCertificate

_WARN = 7 * 24 * 3600.0
_WARN_PART = 0.1
"""A certificate that should have been renewed by now is warned of: 7 days before it expires, or a
tenth of its life if that is shorter. It is asked for anew after nine tenths."""


def unit_statuses(
    state: CertificateState, policy: TlsPolicy, now: datetime | None = None
) -> list[ops.StatusBase]:
    """What there is to say, where there is a provider of certificates.

    Args:
        state: What the unit remembers.
        policy: What the leader tells.
        now: For tests.
    """
    time = (now or datetime.now(timezone.utc)).timestamp()
    found: list[ops.StatusBase] = []
    # What is in use comes first: of two that are blocked Juju shows the first.
    if used := state.kept.get(state.leaf(policy)):
        when = f"{datetime.fromtimestamp(used.ends, timezone.utc):%Y-%m-%d %H:%M} UTC"
        if time >= used.ends:
            said = "connections fail" if policy.on else "TLS cannot be used"
            found.append(
                ops.BlockedStatus(
                    f"the certificate expired on {when} and {said}; let the provider of"
                    " certificates renew it"
                )
            )
        elif time >= used.ends - warning(used):
            found.append(ops.ActiveStatus(f"the certificate expires on {when}"))
    if state.problem:
        found.append(ops.BlockedStatus(state.problem))
    elif not state.offered:
        found.append(ops.WaitingStatus("waiting for a certificate"))
    return found


def warning(kept: StoredCertificate) -> float:
    """For how many seconds before it expires a certificate is warned of."""
    return min(_WARN, _WARN_PART * (kept.ends - kept.begins))
