"""Which CAs the leader lets everybody trust, and when servers switch to TLS and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from valkey_client import Topology
from valkey_operator.decide import tls
from valkey_operator.model.cluster_state import ClusterState
from valkey_operator.model.facts import Facts
from valkey_operator.model.peer_data import Peer
from valkey_operator.model.published_topology import PublishedTopology
from valkey_operator.model.steps import ConfigureSentinel, SwitchTls
from valkey_operator.model.tls_policy import TlsPolicy, UnitTlsReport
from valkey_operator.rules.pem import certificate_digests

from .certificate_texts import NEW, OLD, policy
from .cluster_model import (
    IPS,
    assert_nothing_to_do,
    make_cluster,
    make_facts,
    make_plan,
    of_kind,
    with_shared,
    without_units,
)


def with_reports(facts: Facts, *anchors: str, **options: Any) -> Facts:
    """The same; all units have a certificate, and trust CAs: of their own unless told others."""
    report = UnitTlsReport("leaf", anchors, certificate_digests(options.get("trusts", anchors)))
    return replace(facts, peers=tuple(replace(peer, tls=report) for peer in facts.peers))


def speaking(*tls: bool) -> ClusterState:
    """Three servers, then three Sentinels, of which some speak TLS."""
    state = make_cluster()
    return ClusterState(
        {a: replace(state.servers[a], tls=on) for a, on in zip(IPS, tls[:3])},
        {a: replace(state.sentinels[a], tls=on) for a, on in zip(IPS, tls[3:])},
        3,
    )


def with_policy(facts: Facts, tls: TlsPolicy) -> Facts:
    """The same; the leader has told that before, and clients know some topology."""
    published = facts.shared.published or PublishedTopology(version="8.0.0")
    return with_shared(facts, tls=tls, published=published)


PLAIN, TLS = (False,) * 6, (True,) * 6
SERVERS_ONLY = (*TLS[:3], *PLAIN[:3])


def switches(facts: Facts) -> list[SwitchTls]:
    return of_kind(SwitchTls, make_plan(facts).steps)


def topology_of(facts: Facts) -> Topology:
    """The topology that clients are told."""
    topology = make_plan(facts).topology
    assert topology is not None
    return topology


def test_without_certificates_there_is_no_policy_and_nothing_to_do() -> None:
    assert tls.decide_policy(make_facts()) == TlsPolicy()
    assert_nothing_to_do(make_facts())


def test_a_ca_is_trusted_before_any_server_switches() -> None:
    facts = with_reports(make_facts(has_certificates=True), OLD, trusts=())
    assert tls.decide_policy(facts) == policy(OLD, on=False)
    assert switches(facts) == []


def test_all_servers_switch_in_one_hook_replicas_first_after_raising_down_after() -> None:
    facts = with_reports(make_facts(has_certificates=True), OLD)
    facts = with_policy(facts, policy(OLD, on=False))
    plan = make_plan(facts)
    assert [type(step) for step in plan.steps] == [ConfigureSentinel] * 3 + [SwitchTls] * 3
    assert [step.value for step in of_kind(ConfigureSentinel, plan.steps)] == ["60000"] * 3
    assert [step.address for step in switches(facts)] == [IPS[1], IPS[2], IPS[0]]
    assert plan.answers == ()
    assert plan.topology is None
    assert plan.shared.tls == policy(OLD)
    assert plan.shared.published == facts.shared.published


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: replace(facts, has_certificates=False),
        lambda facts: replace(facts, planned_units=4),
        lambda facts: with_last_peer(facts, tls=UnitTlsReport()),
        lambda facts: with_last_peer(facts, generation=0),
        lambda facts: without_units(facts, IPS[2]),
        lambda facts: replace(facts, cluster=make_cluster(primary="10.0.0.9")),
    ],
    ids=["no relation", "unit to come", "no certificate", "not started", "absent", "no primary"],
)
def test_no_server_switches_before_all_can(change: Callable[[Facts], Facts]) -> None:
    facts = with_reports(make_facts(has_certificates=True), OLD)
    facts = with_policy(facts, policy(OLD, on=False))
    assert tls.decide_policy(facts).on
    assert not tls.decide_policy(change(facts)).on
    assert switches(change(facts)) == []


def with_last_peer(facts: Facts, **changes: Any) -> Facts:
    """The same with another databag of the last unit."""
    return replace(facts, peers=(*facts.peers[:2], replace(facts.peers[2], **changes)))


def test_a_switch_that_a_hook_did_not_finish_is_finished_by_the_next() -> None:
    half = speaking(True, False, True, *PLAIN[:3])
    facts = with_reports(make_facts(cluster=half, has_certificates=True), OLD)
    facts = replace(with_policy(facts, policy(OLD, on=False)), planned_units=4)
    assert switches(facts) == [SwitchTls(IPS[1], True)]


def test_clients_are_told_of_tls_when_the_last_sentinel_has_switched() -> None:
    facts = make_facts(cluster=speaking(*SERVERS_ONLY), has_certificates=True)
    facts = with_policy(with_reports(facts, OLD), policy(OLD))
    assert make_plan(facts).topology is None
    assert not tls.decide_policy(facts).is_strict
    facts = replace(facts, cluster=speaking(*TLS))
    assert (topology_of(facts).tls, topology_of(facts).tls_ca) == (True, OLD)
    assert tls.decide_policy(facts).is_strict


def test_update_status_tells_clients_of_tls_if_a_majority_of_sentinels_has_switched() -> None:
    """The agent of one unit hangs; the others are enough for a failover."""
    facts = make_facts(cluster=speaking(*TLS[:5], False), has_certificates=True)
    facts = with_policy(with_reports(facts, OLD), policy(OLD))
    plan = make_plan(facts)
    assert plan.topology is None
    assert tls.tls_progress(facts, plan.shared.tls) == "switching TLS on: waiting for v/2"
    topology = topology_of(replace(facts, is_periodic=True))
    assert [endpoint.host for endpoint in topology.sentinel_endpoints] == list(IPS[:2])
    assert topology.tls
    two_lag = replace(facts, is_periodic=True, cluster=speaking(*TLS[:4], False, False))
    assert make_plan(two_lag).topology is None


def test_all_servers_switch_back_when_the_relation_is_gone() -> None:
    facts = with_reports(make_facts(cluster=speaking(*TLS)), OLD)
    facts = with_policy(facts, policy(OLD, is_strict=True))
    assert [step.on for step in switches(facts)] == [False] * 3
    assert make_plan(facts).shared.tls == policy(OLD, on=False)


def test_clients_trust_a_new_ca_before_its_certificates_are_used() -> None:
    facts = with_reports(make_facts(cluster=speaking(*TLS), has_certificates=True), OLD)
    facts = with_policy(facts, policy(OLD))
    report = replace(facts.peers[0].tls, anchors=(NEW, OLD))
    facts = replace(facts, peers=(replace(facts.peers[0], tls=report), *facts.peers[1:]))
    decided = tls.decide_policy(facts)
    assert set(decided.cas) == {OLD, NEW}
    assert decided.issuers == certificate_digests([OLD])
    assert NEW in topology_of(facts).tls_ca
    assert OLD in topology_of(facts).tls_ca
    facts = with_reports(facts, OLD, NEW)
    assert tls.decide_policy(facts).issuers == certificate_digests([OLD, NEW])


def test_a_ca_is_dropped_when_every_unit_reports_that_it_is_unused() -> None:
    facts = with_reports(make_facts(cluster=speaking(*TLS), has_certificates=True), NEW)
    facts = with_policy(facts, policy(NEW, OLD))
    assert tls.decide_policy(facts).cas == (NEW,)
    # A leader that has just been elected does not know all units yet.
    assert set(tls.decide_policy(replace(facts, planned_units=4)).cas) == {NEW, OLD}


def test_a_unit_that_has_not_started_delays_no_other() -> None:
    facts = with_reports(make_facts(cluster=speaking(*TLS), has_certificates=True), OLD)
    facts = with_policy(facts, policy(OLD))
    facts = replace(facts, peers=(*facts.peers, Peer("v/3", "10.0.0.4")), planned_units=4)
    assert tls.decide_policy(facts) == policy(OLD, is_strict=True)
