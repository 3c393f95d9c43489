"""What a unit's status says of its certificate."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import ops

from valkey_operator.decide.certificate_status import unit_statuses
from valkey_operator.model.tls_policy import TlsPolicy
from valkey_operator.model.unit_certificates import CertificateState

from .certificate_texts import DAY, OLD, identity, policy


def statuses_at(state: CertificateState, policy: TlsPolicy, now: float) -> list[ops.StatusBase]:
    return unit_statuses(state, policy, datetime.fromtimestamp(now, timezone.utc))


def test_the_status_names_a_missing_refused_expiring_or_expired_certificate() -> None:
    state, used_policy = CertificateState().offer(identity("one", OLD)), policy(OLD)
    assert statuses_at(CertificateState(), used_policy, 0) == [
        ops.WaitingStatus("waiting for a certificate")
    ]
    assert statuses_at(replace(state, problem="no"), used_policy, 0) == [ops.BlockedStatus("no")]
    assert statuses_at(state, used_policy, 92.9 * DAY) == []
    (expiring,) = statuses_at(state, used_policy, 93 * DAY)
    assert expiring == ops.ActiveStatus("the certificate expires on 1970-04-11 00:00 UTC")
    (expired,) = statuses_at(state, used_policy, 100 * DAY)
    assert isinstance(expired, ops.BlockedStatus)
    assert "expired on 1970-04-11 00:00 UTC and connections fail" in expired.message


def test_a_short_lived_certificate_is_warned_of_in_its_last_tenth() -> None:
    state = CertificateState().offer(identity("one", OLD, ends=10.0))
    assert statuses_at(state, policy(OLD), 8.9) == []
    assert len(statuses_at(state, policy(OLD), 9.0)) == 1
