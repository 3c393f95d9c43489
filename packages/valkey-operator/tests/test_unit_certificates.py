"""Which certificate a unit uses, and when its Sentinel has to restart for it."""

from __future__ import annotations

from dataclasses import replace

from valkey_operator.model.tls_policy import TlsPolicy
from valkey_operator.model.unit_certificates import (
    NO_CERTIFICATE,
    TlsConfiguration,
    UnitCertificates,
)
from valkey_operator.rules.pem import certificate_digests, digest, trust_bundle

from .certificate_texts import NEW, OLD, policy, verified


def test_a_server_is_given_its_certificate_while_all_is_plain_and_the_sentinel_follows() -> None:
    state = UnitCertificates().assign(verified("one", OLD))
    assert state.configuration(TlsPolicy()) == NO_CERTIFICATE
    files = state.configuration(policy(OLD, on=False))
    assert files == TlsConfiguration("one", digest(trust_bundle([OLD], [])))
    assert not state.sentinel_must_switch_tls(policy(OLD, on=False))
    assert state.sentinel_must_switch_tls(policy(OLD))


def test_a_new_unit_has_no_certificate_to_use_until_all_units_trust_its_ca() -> None:
    assert UnitCertificates().leaf(policy(OLD)) == ""
    state = UnitCertificates().assign(verified("new", NEW))
    assert state.leaf(policy(OLD)) == ""
    assert state.leaf(policy(OLD, NEW, issuers=certificate_digests([OLD]))) == ""
    assert state.leaf(policy(OLD, NEW)) == "new"


def test_a_certificate_of_another_ca_is_used_when_all_units_trust_that_ca() -> None:
    before = policy(OLD)
    state = UnitCertificates().assign(verified("one", OLD))
    used = state.configuration(before)
    state = replace(state, server=used, sentinel=used).assign(verified("two", NEW))
    assert state.configuration(before) == used
    both = policy(OLD, NEW, issuers=certificate_digests([OLD]))
    assert state.configuration(both) == TlsConfiguration(
        "one", digest(trust_bundle([], [OLD, NEW]))
    )
    assert state.sentinel_needs_restart(both)
    assert state.leaf(policy(OLD, NEW)) == "two"
    assert set(state.anchors(*state.names_in_use)) == {OLD, NEW}


def test_cas_of_clients_are_trusted_by_servers_only() -> None:
    state = UnitCertificates().assign(verified("one", OLD))
    clients = policy(OLD, client_cas_by_source={"client-cas": (NEW,)})
    assert NEW in state.bundle(clients)
    assert NEW not in clients.bundle


def test_a_certificate_stays_in_use_without_its_relation_until_tls_is_off() -> None:
    used = TlsConfiguration("one", "b")
    state = replace(
        UnitCertificates().assign(verified("one", OLD)),
        server=used,
        sentinel=used,
        assigned_leaf="",
    )
    assert state.leaf(policy(OLD)) == "one"
    assert state.configuration(policy(OLD, on=False)) == NO_CERTIFICATE
    assert state.sentinel_must_switch_tls(policy(OLD, on=False))


def test_a_certificate_state_is_read_back_from_its_file() -> None:
    state = UnitCertificates().assign(verified("one", OLD))
    state = replace(state, server=TlsConfiguration("one", "b"), problem="none")
    assert UnitCertificates.read(state.text()) == state
    assert UnitCertificates.read(None) == UnitCertificates()
