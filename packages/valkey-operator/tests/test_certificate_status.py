"""What a unit's status says of its certificate."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import ops

from valkey_operator.decide.certificate_status import unit_statuses
from valkey_operator.model.tls_policy import TlsPolicy
from valkey_operator.model.unit_certificates import UnitCertificates

from .certificate_texts import DAY, OLD, policy, verified


def statuses_at(state: UnitCertificates, policy: TlsPolicy, now: float) -> list[ops.StatusBase]:
    return unit_statuses(state, policy, "ca", datetime.fromtimestamp(now, timezone.utc))


def test_the_status_names_a_missing_refused_expiring_or_expired_certificate() -> None:
    state, used_policy = UnitCertificates().assign(verified("one", OLD)), policy(OLD)
    assert statuses_at(UnitCertificates(), used_policy, 0) == [
        ops.WaitingStatus("Waiting for a certificate from ca")
    ]
    assert statuses_at(replace(state, problem="no"), used_policy, 0) == [ops.BlockedStatus("no")]
    assert statuses_at(state, used_policy, 92.9 * DAY) == []
    (expiring,) = statuses_at(state, used_policy, 93 * DAY)
    assert expiring == ops.ActiveStatus(
        "Certificate expires on 1970-04-11 00:00 UTC: have ca renew it"
    )
    (expired,) = statuses_at(state, used_policy, 100 * DAY)
    assert isinstance(expired, ops.BlockedStatus)
    assert "expired on 1970-04-11 00:00 UTC and connections fail" in expired.message


def test_a_short_lived_certificate_is_warned_of_in_its_last_tenth() -> None:
    state = UnitCertificates().assign(verified("one", OLD, ends=10.0))
    assert statuses_at(state, policy(OLD), 8.9) == []
    assert len(statuses_at(state, policy(OLD), 9.0)) == 1
