"""What the leader does to servers and Sentinels, and what it tells clients and units."""

from __future__ import annotations

from dataclasses import replace

from valkey_client import Grant, Refusal, Withdrawal
from valkey_client.databag import Requests
from valkey_client.statuses import NOT_READY
from valkey_operator.decide.plan import current_topology
from valkey_operator.model.cluster_state import ClusterState
from valkey_operator.model.facts import ClientRelation
from valkey_operator.model.steps import (
    ConfigureSentinel,
    ConfigureServer,
    DropAccounts,
    RecordAccountsDigest,
    ResetSentinel,
    SetAccounts,
)
from valkey_operator.rules.accounts import Version, password_digest
from valkey_operator.rules.accounts_digest import accounts_digest
from valkey_operator.rules.settings import Settings

from .cluster_model import (
    IPS,
    VERSION,
    account,
    assert_nothing_to_do,
    client_relation,
    granted,
    make_cluster,
    make_facts,
    make_plan,
    of_kind,
    on_every_node,
    only,
    request,
    with_server,
    with_shared,
    without_units,
)

# Accounts.


def test_a_stable_cluster_needs_no_change() -> None:
    assert_nothing_to_do(make_facts())


def test_a_request_is_granted_after_its_account_exists_on_every_node() -> None:
    plan = make_plan(make_facts(relations=[client_relation(request())]))
    assert [type(step) for step in plan.steps] == [
        *on_every_node(SetAccounts),
        *on_every_node(RecordAccountsDigest),
    ]
    setting = of_kind(SetAccounts, plan.steps)
    assert [step.address for step in setting[:3]] == [IPS[1], IPS[2], IPS[0]], (
        "replicas before the primary"
    )
    assert all(step.on_sentinel for step in setting[3:6])
    assert [type(answer) for answer in plan.answers] == [Grant]
    grant = only(Grant, plan.answers)
    assert plan.shared.accounts[grant.access.username].sha256 == password_digest("password-0")
    assert "password-0" not in repr(plan)


def test_a_granted_request_is_left_alone() -> None:
    relation = client_relation(request(), granted=granted())
    assert_nothing_to_do(make_facts(account(), relations=[relation]))


def test_a_request_whose_prefix_changed_keeps_its_account_name_and_no_account_is_dropped() -> None:
    relation = client_relation(request("b:*"), granted=granted())
    plan = make_plan(make_facts(account(), relations=[relation]))
    grant = only(Grant, plan.answers)
    assert grant.access.prefix == "b:*"
    assert plan.shared.accounts[grant.access.username].prefix == "b:*"
    assert of_kind(DropAccounts, plan.steps) == [], "it is the same account"


def test_the_account_of_a_removed_request_is_dropped_from_every_node() -> None:
    other = account("relation-10-r", "b:*", relation=10)
    plan = make_plan(make_facts(account(), other, relations=[client_relation()]))
    drops = of_kind(DropAccounts, plan.steps)
    assert len(drops) == 6
    assert all(step.names == ("relation-1-r",) for step in drops)
    assert Withdrawal(1, ("r",)) in plan.answers
    assert plan.shared.accounts.keys() == {"relation-10-r"}


def test_the_accounts_of_a_removed_relation_are_dropped() -> None:
    facts = make_facts(account(), account("relation-10-r", "b:*", relation=10))
    plan = make_plan(replace(facts, applications={10: "app10"}))
    assert Withdrawal(1, ("r",)) in plan.answers
    drops = of_kind(DropAccounts, plan.steps)
    assert {name for step in drops for name in step.names} == {"relation-1-r"}


def test_a_damaged_requirer_databag_withdraws_nothing() -> None:
    damaged = ClientRelation(1, Requests("v1", is_complete=False), granted())
    assert_nothing_to_do(make_facts(account(), relations=[damaged]))


def test_a_server_that_lacks_an_account_gets_it_before_it_may_be_promoted() -> None:
    one = account()
    facts = make_facts(one)
    settings = {**facts.cluster.servers[IPS[2]].settings, "replica-priority": "0"}
    facts = with_server(
        facts, IPS[2], accounts=frozenset(), accounts_digests=(), settings=settings
    )
    assert make_plan(facts).steps == (
        SetAccounts(IPS[2], (one,)),
        ConfigureServer(IPS[2], "replica-priority", "100"),
        RecordAccountsDigest(IPS[2], accounts_digest([one], VERSION)),
    )
    assert make_plan(facts).answers == ()


def test_an_account_that_no_request_has_is_dropped() -> None:
    unknown = account("relation-9-x", relation=9)
    plan = make_plan(make_facts(cluster=make_cluster(accounts=(unknown,))))
    assert [type(step) for step in plan.steps] == [
        *on_every_node(DropAccounts),
        *on_every_node(RecordAccountsDigest),
    ]


def test_no_account_is_given_while_a_started_unit_does_not_answer() -> None:
    facts = make_facts(relations=[client_relation(request())])
    refusal = only(Refusal, make_plan(without_units(facts, IPS[2])).answers)
    assert refusal.status.code == NOT_READY
    assert "v/2" in refusal.status.message


def test_a_server_with_another_accounts_digest_is_given_every_account() -> None:
    """It was away, or another release of the charm started it with other rules."""
    one = account()
    facts = with_server(make_facts(one), IPS[1], accounts_digests=("charm-accounts-other",))
    assert make_plan(facts).steps == (
        SetAccounts(IPS[1], (one,)),
        RecordAccountsDigest(IPS[1], accounts_digest([one], VERSION), ("charm-accounts-other",)),
    )


def test_a_new_account_sets_no_other_account() -> None:
    relation = client_relation(request("b:*", relation=2), relation=2)
    plan = make_plan(make_facts(account(), relations=[relation]))
    setting = of_kind(SetAccounts, plan.steps)
    assert {a.name for step in setting for a in step.accounts} == {"relation-2-r"}


def test_the_accounts_digest_changes_with_every_field_and_every_kind_of_server() -> None:
    one = account()
    others = [
        replace(one, sha256=password_digest("q")),
        replace(one, prefix="b:*"),
        replace(one, scan=True),
    ]
    lists = [[one], *([a] for a in others), []]
    assert len({accounts_digest(listed, VERSION) for listed in lists}) == 5
    assert accounts_digest([one, others[0]], VERSION) == accounts_digest([others[0], one], VERSION)
    versions: list[Version] = [(7, 2, 4), (8, 0, 1), VERSION]
    assert len({accounts_digest([one], version) for version in versions}) == 3
    assert accounts_digest([one], (8, 0, 1)) == accounts_digest([one], (8, 1, 0)), (
        "the rules are the same"
    )


def test_an_upgraded_server_is_given_the_rules_of_its_new_version() -> None:
    """From 9.1.2 on an account is held to databases, which it was not before."""
    one = account()
    facts = make_facts(one, cluster=make_cluster(accounts=(one,), version=(8, 0, 1)))
    for ip in IPS:
        facts = with_server(facts, ip, version=VERSION)
    setting = of_kind(SetAccounts, make_plan(facts).steps)
    assert sorted((step.address, step.on_sentinel) for step in setting) == [
        (ip, on_sentinel) for ip in IPS for on_sentinel in (False, True)
    ]


# The primary, and what clients are told of it.


def test_without_a_primary_requests_are_refused_and_the_published_topology_stays() -> None:
    facts = make_facts(relations=[client_relation(request())])
    sentinels = {
        ip: replace(s, primary=IPS[n % 2])
        for n, (ip, s) in enumerate(facts.cluster.sentinels.items())
    }
    facts = with_server(facts, IPS[0], role="slave", primary=IPS[1])
    facts = replace(facts, cluster=replace(facts.cluster, sentinels=sentinels))
    plan = make_plan(facts)
    assert plan.steps == ()
    assert only(Refusal, plan.answers).status.code == NOT_READY
    assert plan.topology is None
    assert plan.shared == replace(facts.shared, pending=frozenset({1}))
    assert facts.shared.published


def test_a_pending_request_that_is_granted_is_no_longer_pending() -> None:
    facts = make_facts(relations=[client_relation(request())])
    plan = make_plan(with_shared(facts, pending=frozenset({1, 2})))
    assert plan.shared.pending == frozenset()


def test_a_new_primary_is_published_to_all_clients_at_once() -> None:
    facts = make_facts()
    plan = make_plan(replace(facts, cluster=make_cluster(primary=IPS[1])))
    assert (plan.steps, plan.answers) == ((), ())
    assert plan.shared.first_primary == IPS[1]
    assert plan.topology
    assert [endpoint.host for endpoint in plan.topology.endpoints] == [IPS[1]]
    assert [e.host for e in plan.topology.read_only_endpoints] == [IPS[0], IPS[2]]


def test_a_replica_that_is_not_in_sync_is_not_published() -> None:
    facts = with_server(make_facts(), IPS[2], in_sync=False)
    topology = current_topology(facts, facts.shared.tls)
    assert topology is not None
    assert [endpoint.host for endpoint in topology.read_only_endpoints] == [IPS[1]]


def test_a_leader_that_sees_only_the_former_primary_changes_nothing() -> None:
    facts = make_facts(relations=[client_relation(request())])
    state = ClusterState(
        {IPS[0]: facts.cluster.servers[IPS[0]]}, {IPS[0]: facts.cluster.sentinels[IPS[0]]}, units=3
    )
    assert state.primary == ""
    plan = make_plan(replace(facts, cluster=state))
    assert plan.steps == ()
    assert [type(answer) for answer in plan.answers] == [Refusal]
    assert plan.topology is None
    assert plan.shared == replace(facts.shared, pending=frozenset({1}))


def test_a_replica_that_is_gone_is_no_longer_published_and_changes_no_setting() -> None:
    plan = make_plan(without_units(make_facts(), IPS[2]))
    assert plan.steps == ()
    assert plan.topology
    assert [endpoint.host for endpoint in plan.topology.read_only_endpoints] == [IPS[1]]


# Settings of servers and Sentinels.


def test_writes_need_no_replica_with_less_than_three_units() -> None:
    members = IPS[:2]
    cluster = make_cluster(members=members, **{"min-replicas-to-write": "1"})
    changes = of_kind(ConfigureServer, make_plan(make_facts(cluster=cluster, ips=members)).steps)
    assert {(step.name, step.value) for step in changes} == {("min-replicas-to-write", "0")}


def test_sentinels_are_configured_from_the_settings_and_the_number_of_units() -> None:
    facts = replace(make_facts(), settings=Settings(down_after=3, failover_timeout=20))
    plan = make_plan(replace(facts, peers=facts.peers[:1], planned_units=1))
    assert of_kind(ResetSentinel, plan.steps)
    changes = of_kind(ConfigureSentinel, plan.steps)
    assert {(step.name, step.value) for step in changes} == {
        ("quorum", "1"),
        ("down-after-milliseconds", "3000"),
        ("failover-timeout", "20000"),
    }


def test_writes_wait_for_a_replica_from_the_first_that_is_in_sync() -> None:
    """The minimum is raised when one is in sync, and not lowered when it falls behind."""

    def changes(minimum: str, *in_sync: str) -> list[str]:
        facts = make_facts(cluster=make_cluster(min_replicas_to_write=minimum))
        for ip in IPS[1:]:
            facts = with_server(facts, ip, in_sync=ip in in_sync)
        return [
            step.value
            for step in of_kind(ConfigureServer, make_plan(facts).steps)
            if (step.address, step.name) == (IPS[0], "min-replicas-to-write")
        ]

    assert changes("0") == []
    assert changes("0", IPS[1]) == ["1"]
    assert changes("1") == []


def test_maxmemory_follows_the_memory_of_each_unit() -> None:
    facts = make_facts()
    peers = tuple(replace(p, memory=2**30 * (n + 1)) for n, p in enumerate(facts.peers))
    changes = of_kind(ConfigureServer, make_plan(replace(facts, peers=peers)).steps)
    memory = [(step.address, step.value) for step in changes if step.name == "maxmemory"]
    assert memory == [(ip, str(2**30 * (n + 1) * 3 // 4)) for n, ip in enumerate(IPS)]
    assert ("maxmemory-policy", "noeviction") in {(step.name, step.value) for step in changes}


def test_sentinels_are_reset_after_a_removal_once_all_units_answer() -> None:
    facts = make_facts()
    sentinels = {ip: replace(s, others=5) for ip, s in facts.cluster.sentinels.items()}
    facts = replace(facts, cluster=replace(facts.cluster, sentinels=sentinels))
    assert make_plan(facts).steps == tuple(ResetSentinel(ip, 2) for ip in IPS)
    assert_nothing_to_do(replace(facts, planned_units=6))  # The others have not joined yet.
    assert of_kind(ResetSentinel, make_plan(without_units(facts, IPS[2])).steps) == []
