"""What units and the leader decide about TLS, step by step, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import ops
import pytest

from valkey_operator.decide import tls
from valkey_operator.decide.certificate_status import unit_statuses
from valkey_operator.model.cluster_state import ClusterState
from valkey_operator.model.facts import Facts
from valkey_operator.model.steps import (
    ConfigureSentinel,
    SwitchTls,
    UpdateSharedState,
    UpdateTopology,
)
from valkey_operator.model.tls_policy import TlsPolicy, UnitTlsReport
from valkey_operator.model.unit_certificates import (
    NO_CERTIFICATE,
    TlsConfiguration,
    UnitCertificates,
)
from valkey_operator.peers import Peer
from valkey_operator.rules.pem import certificate_digests, digest, trust_bundle
from valkey_operator.rules.server_certificate import VerifiedCertificate

from .cluster_model import IPS, cluster, facts, run

DAY = 24 * 3600.0


def pem(text: str) -> str:
    """Something that looks like a certificate."""
    body = (text * 8)[:8]
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"


OLD, NEW = pem("OLD1"), pem("NEW1")


def verified(name: str, *anchors: str, ends: float = 100 * DAY) -> VerifiedCertificate:
    return VerifiedCertificate(name, anchors, 0.0, ends, "", "", "", "")


def policy(*cas: str, on: bool = True, **options: Any) -> TlsPolicy:
    options.setdefault("issuers", certificate_digests(cas) if on else frozenset())
    return TlsPolicy(on=on, cas=cas, **options)


# A unit.


def test_a_unit_prepares_when_the_leader_has_heard_of_its_ca() -> None:
    state = UnitCertificates().assign(verified("one", OLD))
    assert state.configuration(TlsPolicy()) == NO_CERTIFICATE
    wanted = state.configuration(policy(OLD, on=False))
    assert wanted == TlsConfiguration("one", digest(trust_bundle([OLD], [])))
    assert not state.sentinel_must_switch_tls(policy(OLD, on=False))
    assert state.sentinel_must_switch_tls(policy(OLD))


def test_a_new_unit_waits_for_a_certificate_that_all_trust() -> None:
    assert UnitCertificates().leaf(policy(OLD)) == ""
    state = UnitCertificates().assign(verified("new", NEW))
    assert state.leaf(policy(OLD)) == ""
    assert state.leaf(policy(OLD, NEW, issuers=certificate_digests([OLD]))) == ""
    assert state.leaf(policy(OLD, NEW)) == "new"


def test_a_certificate_of_another_ca_waits_until_all_trust_that() -> None:
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


def test_clients_cas_are_trusted_by_servers_and_by_nobody_else() -> None:
    state = UnitCertificates().assign(verified("one", OLD))
    told = policy(OLD, client_cas_by_source={"client-cas": (NEW,)})
    assert NEW in state.bundle(told)
    assert NEW not in told.bundle


def test_what_is_in_use_stays_when_the_relation_goes_until_all_is_plain() -> None:
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


def test_a_state_survives_its_file() -> None:
    state = UnitCertificates().assign(verified("one", OLD))
    state = replace(state, server=TlsConfiguration("one", "b"), problem="none")
    assert UnitCertificates.read(state.text()) == state
    assert UnitCertificates.read(None) == UnitCertificates()


# What they tell each other.


def test_what_is_told_survives_the_databag() -> None:
    told = UnitTlsReport("one", (OLD,), frozenset({"a"}))
    assert UnitTlsReport.read(told.text()) == told
    assert UnitTlsReport().text() == ""
    for said in (
        TlsPolicy(),
        policy(OLD, client_cas_by_source={"client-cas": (NEW,)}),
        policy(OLD, is_strict=True),
    ):
        assert TlsPolicy.read(said.entries()) == said
    assert set(TlsPolicy().entries().values()) == {""}


# The leader.


def ready(made: Facts, *anchors: str, **options: Any) -> Facts:
    """All units have a certificate and trust some CAs."""
    tls = UnitTlsReport("leaf", anchors, certificate_digests(options.get("trusts", anchors)))
    return replace(made, peers=tuple(replace(peer, tls=tls) for peer in made.peers))


def speaking(*tls: bool) -> ClusterState:
    """Servers and Sentinels of which some speak TLS."""
    found = cluster()
    return ClusterState(
        {a: replace(found.servers[a], tls=on) for a, on in zip(IPS, tls[:3])},
        {a: replace(found.sentinels[a], tls=on) for a, on in zip(IPS, tls[3:])},
        3,
    )


def with_word(made: Facts, told: TlsPolicy) -> Facts:
    published = made.shared.published or "something else"
    return replace(made, shared=replace(made.shared, tls=told, published=published))


PLAIN, TLS = (False,) * 6, (True,) * 6
CHANGING = (*TLS[:3], *PLAIN[:3])


def found(made: Facts, kind: type[Any]) -> list[Any]:
    return [step for step in run(made) if isinstance(step, kind)]


def test_without_certificates_nothing_is_said() -> None:
    assert tls.decide(facts()) == TlsPolicy()
    assert run(facts()) == []


def test_a_ca_is_trusted_before_anybody_changes() -> None:
    made = ready(facts(certificates=True), OLD, trusts=())
    assert tls.decide(made) == policy(OLD, on=False)
    assert found(made, SwitchTls) == []


def test_all_servers_change_in_one_hook_replicas_first_with_sentinels_warned() -> None:
    made = with_word(ready(facts(certificates=True), OLD), policy(OLD, on=False))
    steps = run(made)
    assert [type(s) for s in steps if not isinstance(s, UpdateSharedState)] == [
        ConfigureSentinel
    ] * 3 + [SwitchTls] * 3
    assert [s.value for s in steps[:3]] == ["60000"] * 3
    assert [s.address for s in steps[3:6]] == [IPS[1], IPS[2], IPS[0]]
    assert steps[-1].shared.tls == policy(OLD)
    assert steps[-1].shared.published == made.shared.published


@pytest.mark.parametrize(
    "change",
    [
        lambda made: replace(made, certificates=False),
        lambda made: replace(made, planned=4),
        lambda made: replace(
            made, peers=(*made.peers[:2], replace(made.peers[2], tls=UnitTlsReport()))
        ),
        lambda made: replace(made, peers=(*made.peers[:2], replace(made.peers[2], started=False))),
        lambda made: replace(made, cluster=made.cluster.without([IPS[2]])),
        lambda made: replace(made, cluster=cluster(primary="10.0.0.9")),
    ],
    ids=["no relation", "unit to come", "no certificate", "not started", "absent", "no primary"],
)
def test_nothing_changes_before_all_can(change: Any) -> None:
    made = with_word(ready(facts(certificates=True), OLD), policy(OLD, on=False))
    assert tls.decide(made).on
    assert not tls.decide(change(made)).on
    assert found(change(made), SwitchTls) == []


def test_a_change_that_was_cut_short_goes_on() -> None:
    half = speaking(True, False, True, *PLAIN[:3])
    made = ready(facts(cluster=half, certificates=True), OLD)
    made = replace(with_word(made, policy(OLD, on=False)), planned=4)
    assert found(made, SwitchTls) == [SwitchTls(IPS[1], True)]


def test_clients_are_told_when_the_last_sentinel_has_changed() -> None:
    made = ready(facts(cluster=speaking(*CHANGING), certificates=True), OLD)
    made = with_word(made, policy(OLD))
    assert found(made, UpdateTopology) == []
    assert not tls.decide(made).is_strict
    made = replace(made, cluster=speaking(*TLS))
    (update,) = found(made, UpdateTopology)
    assert (update.topology.tls, update.topology.tls_ca) == (True, OLD)
    assert tls.decide(made).is_strict


def test_who_is_late_keeps_clients_from_nothing_for_long() -> None:
    """Its agent is stuck. Juju's clock finds the others, if they are enough for a failover."""
    made = ready(facts(cluster=speaking(*TLS[:5], False), certificates=True), OLD)
    made = with_word(made, policy(OLD))
    assert found(made, UpdateTopology) == []
    assert tls.tls_progress(made) == "changing to TLS: waits for v/2"
    (update,) = found(replace(made, is_periodic=True), UpdateTopology)
    hosts = [endpoint.host for endpoint in update.topology.sentinel_endpoints]
    assert hosts == list(IPS[:2])
    assert update.topology.tls
    two_late = replace(made, is_periodic=True, cluster=speaking(*TLS[:4], False, False))
    assert found(two_late, UpdateTopology) == []


def test_all_change_back_when_the_relation_is_gone() -> None:
    made = ready(facts(cluster=speaking(*TLS)), OLD)
    made = with_word(made, policy(OLD, is_strict=True))
    assert [s.on for s in found(made, SwitchTls)] == [False] * 3
    (share,) = found(made, UpdateSharedState)
    assert share.shared.tls == policy(OLD, on=False)


def test_both_cas_are_told_before_a_certificate_of_the_new_one_may_be_used() -> None:
    made = with_word(ready(facts(cluster=speaking(*TLS), certificates=True), OLD), policy(OLD))
    (new,) = (replace(made.peers[0].tls, anchors=(NEW, OLD)),)
    made = replace(made, peers=(replace(made.peers[0], tls=new), *made.peers[1:]))
    told = tls.decide(made)
    assert set(told.cas) == {OLD, NEW}
    assert told.issuers == certificate_digests([OLD])
    (update,) = found(made, UpdateTopology)
    assert NEW in update.topology.tls_ca
    assert OLD in update.topology.tls_ca
    made = ready(made, OLD, NEW)
    assert tls.decide(made).issuers == certificate_digests([OLD, NEW])


def test_a_ca_is_dropped_when_nobody_uses_it_and_all_have_said_so() -> None:
    made = ready(facts(cluster=speaking(*TLS), certificates=True), NEW)
    made = with_word(made, policy(NEW, OLD))
    assert tls.decide(made).cas == (NEW,)
    # A leader that has just been elected has not met everybody.
    assert set(tls.decide(replace(made, planned=4)).cas) == {NEW, OLD}


def test_a_unit_that_has_yet_to_start_does_not_hold_up_the_others() -> None:
    made = with_word(ready(facts(cluster=speaking(*TLS), certificates=True), OLD), policy(OLD))
    made = replace(made, peers=(*made.peers, Peer("v/3", "10.0.0.4")), planned=4)
    assert tls.decide(made) == policy(OLD, is_strict=True)


# Status.


def said(state: UnitCertificates, told: TlsPolicy, now: float) -> list[ops.StatusBase]:
    return unit_statuses(state, told, "ca", datetime.fromtimestamp(now, timezone.utc))


def test_what_the_status_says() -> None:
    state, told = UnitCertificates().assign(verified("one", OLD)), policy(OLD)
    assert said(UnitCertificates(), told, 0) == [
        ops.WaitingStatus("Waiting for a certificate from ca")
    ]
    assert said(replace(state, problem="no"), told, 0) == [ops.BlockedStatus("no")]
    assert said(state, told, 92.9 * DAY) == []
    (soon,) = said(state, told, 93 * DAY)
    assert soon == ops.ActiveStatus(
        "Certificate expires on 1970-04-11 00:00 UTC: have ca renew it"
    )
    (lagging,) = said(state, told, 100 * DAY)
    assert isinstance(lagging, ops.BlockedStatus)
    assert (
        "expired on 1970-04-11 00:00 UTC and connections fail: have ca renew it" in lagging.message
    )


def test_a_short_life_is_warned_of_in_its_last_tenth() -> None:
    state = UnitCertificates().assign(verified("one", OLD, ends=10.0))
    assert said(state, policy(OLD), 8.9) == []
    assert len(said(state, policy(OLD), 9.0)) == 1
