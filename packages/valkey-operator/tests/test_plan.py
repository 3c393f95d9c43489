from __future__ import annotations

from dataclasses import replace

from cluster_model import (
    IPS,
    VERSION,
    account,
    asked,
    cluster,
    facts,
    granted,
    on_every_node,
    request,
    run,
    serving,
    with_accounts,
)

from valkey_client.databag import Requests
from valkey_client.statuses import NOT_READY
from valkey_operator.decide.plan import topology_of
from valkey_operator.model.cluster_state import ClusterState
from valkey_operator.model.facts import ClientRelation
from valkey_operator.model.steps import (
    ConfigureSentinel,
    ConfigureServer,
    DropAccounts,
    Grant,
    RecordAccountsDigest,
    Refuse,
    ResetSentinel,
    SetAccounts,
    UpdateSharedState,
    UpdateTopology,
    Withdraw,
)
from valkey_operator.rules.accounts import Version, digest
from valkey_operator.rules.accounts_digest import accounts_digest
from valkey_operator.rules.settings import Settings


def test_nothing_to_do() -> None:
    assert run(facts()) == []


def test_a_request_gets_an_account_everywhere_before_it_is_published() -> None:
    made = facts(relation_ids=frozenset({1}), asked=(asked(request()),))
    actions = run(made)
    kinds = [type(action) for action in actions]
    assert kinds == [
        *on_every_node(SetAccounts),
        *on_every_node(RecordAccountsDigest),
        Grant,
        UpdateSharedState,
    ]
    servers = [a.address for a in actions[:3]]
    assert servers == [IPS[1], IPS[2], IPS[0]], "replicas before the primary"
    assert all(a.on_sentinel for a in actions[3:6])
    grant = actions[12]
    assert grant.account.sha256 == digest("password-0")
    assert "password-0" not in repr(grant) + repr(actions[-1])


def test_served_requests_are_left_alone() -> None:
    one = account()
    made = facts(
        cluster=cluster(accounts=(one,)),
        relation_ids=frozenset({1}),
        asked=(asked(request(), granted=granted()),),
    )
    assert run(with_accounts(made, one)) == []


def test_a_request_with_another_prefix_gets_a_new_account() -> None:
    one = account()
    made = facts(
        cluster=cluster(accounts=(one,)),
        relation_ids=frozenset({1}),
        asked=(asked(request("b:*"), granted=granted()),),
    )
    actions = run(with_accounts(made, one))
    grant = next(a for a in actions if isinstance(a, Grant))
    assert grant.account.prefix == "b:*"
    assert not any(isinstance(a, DropAccounts) for a in actions), "it is the same account"


def test_a_withdrawn_request_is_gone_from_everywhere() -> None:
    one, other = account(), account("relation-10-r", "b:*", relation=10)
    made = facts(
        cluster=cluster(
            accounts=(
                one,
                other,
            )
        ),
        relation_ids=frozenset({1, 10}),
        asked=(asked(),),
    )
    actions = run(with_accounts(made, one, other))
    drops = [a for a in actions if isinstance(a, DropAccounts)]
    assert len(drops) == 6
    assert all(a.names == ("relation-1-r",) for a in drops)
    assert Withdraw(1, ("r",)) in actions
    assert actions[-1].shared.accounts.keys() == {"relation-10-r"}


def test_a_relation_that_is_gone_takes_its_accounts_along() -> None:
    one, other = account(), account("relation-10-r", "b:*", relation=10)
    made = facts(
        cluster=cluster(
            accounts=(
                one,
                other,
            )
        ),
        relation_ids=frozenset({10}),
    )
    actions = run(with_accounts(made, one, other))
    assert Withdraw(1, ("r",)) in actions
    assert {n for a in actions if isinstance(a, DropAccounts) for n in a.names} == {"relation-1-r"}


def test_damaged_data_withdraws_nothing() -> None:
    one = account()
    damaged = ClientRelation(1, Requests("v1", is_complete=False), granted())
    made = facts(cluster=cluster(accounts=(one,)), relation_ids=frozenset({1}), asked=(damaged,))
    assert run(with_accounts(made, one)) == []


def test_without_a_primary_requests_wait_and_nothing_is_published() -> None:
    split = cluster()
    sentinels = {
        ip: replace(s, primary=IPS[n % 2]) for n, (ip, s) in enumerate(split.sentinels.items())
    }
    lost = replace(split.servers[IPS[0]], role="slave", primary=IPS[1])
    split = ClusterState({**split.servers, IPS[0]: lost}, sentinels, 3)
    made = facts(cluster=split, relation_ids=frozenset({1}), asked=(asked(request()),))
    made = replace(made, shared=replace(made.shared, published="before"))
    actions = run(made)
    assert [type(a) for a in actions] == [Refuse, UpdateSharedState]
    assert actions[0].status.code == NOT_READY
    assert actions[1].shared.pending == {1}
    assert actions[1].shared.published == "before"


def test_what_waited_is_served_and_no_longer_pending() -> None:
    made = facts(relation_ids=frozenset({1}), asked=(asked(request()),))
    made = replace(made, shared=replace(made.shared, pending=frozenset({1, 2})))
    actions = run(made)
    assert actions[-1].shared.pending == frozenset()


def test_a_new_primary_is_told_to_everybody_in_one_action() -> None:
    before = facts()
    after = replace(before, cluster=cluster(primary=IPS[1]))
    actions = run(after)
    assert [type(a) for a in actions] == [UpdateTopology, UpdateSharedState]
    assert actions[1].shared.first_primary == IPS[1]
    assert [e.host for e in actions[0].topology.endpoints] == [IPS[1]]
    assert [e.host for e in actions[0].topology.read_only_endpoints] == [IPS[0], IPS[2]]


def test_a_replica_that_is_not_in_sync_is_not_published() -> None:
    made = facts()
    behind = replace(made.cluster.servers[IPS[2]], in_sync=False)
    servers = {**made.cluster.servers, IPS[2]: behind}
    topology = topology_of(replace(made, cluster=replace(made.cluster, servers=servers)))
    assert topology is not None
    assert [e.host for e in topology.read_only_endpoints] == [IPS[1]]


def test_a_node_that_lacks_an_account_gets_it_before_it_may_be_promoted() -> None:
    one = account()
    made = facts(cluster=cluster(accounts=(one,)), relation_ids=frozenset({1}))
    fresh = replace(
        made.cluster.servers[IPS[2]],
        accounts=frozenset(),
        accounts_digests=(),
        settings={**made.cluster.servers[IPS[2]].settings, "replica-priority": "0"},
    )
    servers = {**made.cluster.servers, IPS[2]: fresh}
    made = replace(made, cluster=replace(made.cluster, servers=servers))
    actions = run(with_accounts(made, one))
    assert actions == [
        SetAccounts(IPS[2], (one,)),
        ConfigureServer(IPS[2], "replica-priority", "100"),
        RecordAccountsDigest(IPS[2], accounts_digest([one], VERSION)),
    ]


def test_an_account_that_nobody_asked_for_is_removed() -> None:
    actions = run(facts(cluster=cluster(accounts=(account("relation-9-x", relation=9),))))
    kinds = [type(a) for a in actions]
    assert kinds == [*on_every_node(DropAccounts), *on_every_node(RecordAccountsDigest)]


def test_below_three_nodes_writes_do_not_wait_for_a_replica() -> None:
    members = IPS[:2]
    made = facts(cluster=cluster(members=members, **{"min-replicas-to-write": "1"}), ips=members)
    changes = [a for a in run(made) if isinstance(a, ConfigureServer)]
    assert {(a.name, a.value) for a in changes} == {("min-replicas-to-write", "0")}


def test_sentinels_follow_the_configuration_and_the_number_of_units() -> None:
    made = replace(facts(), settings=Settings(down_after=3, failover_timeout=20))
    made = replace(made, peers=made.peers[:1], planned=1)
    assert any(isinstance(a, ResetSentinel) for a in run(made))
    changes = [a for a in run(made) if isinstance(a, ConfigureSentinel)]
    assert {(a.name, a.value) for a in changes} == {
        ("quorum", "1"),
        ("down-after-milliseconds", "3000"),
        ("failover-timeout", "20000"),
    }


def test_a_leader_that_is_cut_off_with_the_old_primary_believes_and_changes_nothing() -> None:
    made = facts(relation_ids=frozenset({1}), asked=(asked(request()),))
    whole = made.cluster
    alone = ClusterState(
        {IPS[0]: whole.servers[IPS[0]]}, {IPS[0]: whole.sentinels[IPS[0]]}, asked=3
    )
    assert alone.primary == ""
    actions = run(replace(made, cluster=alone))
    assert [type(a) for a in actions] == [Refuse, UpdateSharedState]
    assert actions[1].shared.published == made.shared.published


def test_the_loss_of_a_replica_takes_no_protection_away() -> None:
    made = facts()
    servers = {ip: s for ip, s in made.cluster.servers.items() if ip != IPS[2]}
    sentinels = {ip: s for ip, s in made.cluster.sentinels.items() if ip != IPS[2]}
    actions = run(replace(made, cluster=ClusterState(servers, sentinels, 3)))
    assert not any(isinstance(a, ConfigureServer) for a in actions)
    assert isinstance(actions[0], UpdateTopology)


def test_no_account_is_given_while_a_started_unit_does_not_answer() -> None:
    made = facts(relation_ids=frozenset({1}), asked=(asked(request()),))
    made = replace(made, cluster=made.cluster.without({IPS[2]}))
    refusals = [a for a in run(made) if isinstance(a, Refuse)]
    assert [r.status.code for r in refusals] == [NOT_READY]
    assert "v/2" in refusals[0].status.message


def test_a_node_that_was_given_something_else_is_given_everything() -> None:
    """It was away, or another release of the charm started it with other rules."""
    one = account()
    made = serving(one)
    stale = replace(made.cluster.servers[IPS[1]], accounts_digests=("charm-accounts-other",))
    servers = {**made.cluster.servers, IPS[1]: stale}
    made = replace(made, cluster=replace(made.cluster, servers=servers))
    assert run(made) == [
        SetAccounts(IPS[1], (one,)),
        RecordAccountsDigest(IPS[1], accounts_digest([one], VERSION), ("charm-accounts-other",)),
    ]


def test_one_more_account_touches_no_other() -> None:
    made = serving(account(), asked=(asked(request("b:*", relation=2), relation=2),))
    given = {a.name for step in run(made) if isinstance(step, SetAccounts) for a in step.accounts}
    assert given == {"relation-2-r"}


def test_the_marker_stands_for_everything_about_the_accounts() -> None:
    one = account()
    others = [
        replace(one, sha256=digest("q")),
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


def test_a_server_of_another_version_than_before_is_given_its_rules() -> None:
    """From 9.1.2 on an account is held to databases, which one of before was not."""
    one = account()
    before = cluster(accounts=(one,), version=(8, 0, 1))
    servers = {ip: replace(s, version=VERSION) for ip, s in before.servers.items()}
    steps = run(serving(one, cluster=replace(before, servers=servers)))
    given = [(s.address, s.on_sentinel) for s in steps if isinstance(s, SetAccounts)]
    assert sorted(given) == [(ip, on) for ip in IPS for on in (False, True)]


def test_the_first_replicas_stop_no_writes_while_they_load() -> None:
    """The minimum is raised when one is in sync, and not lowered when it falls behind."""

    def wanted(minimum: str, *in_sync: str) -> list[str]:
        found = cluster(min_replicas_to_write=minimum)
        servers = {
            ip: replace(s, in_sync=s.role == "master" or ip in in_sync)
            for ip, s in found.servers.items()
        }
        steps = run(facts(cluster=replace(found, servers=servers)))
        return [
            s.value
            for s in steps
            if isinstance(s, ConfigureServer)
            and (s.address, s.name) == (IPS[0], "min-replicas-to-write")
        ]

    assert wanted("0") == []
    assert wanted("0", IPS[1]) == ["1"]
    assert wanted("1") == []


def test_limits_follow_the_memory_of_each_unit() -> None:
    made = facts()
    peers = tuple(replace(p, memory=2**30 * (n + 1)) for n, p in enumerate(made.peers))
    changes = [s for s in run(replace(made, peers=peers)) if isinstance(s, ConfigureServer)]
    memory = [(s.address, s.value) for s in changes if s.name == "maxmemory"]
    assert memory == [(ip, str(2**30 * (n + 1) * 3 // 4)) for n, ip in enumerate(IPS)]
    assert ("maxmemory-policy", "noeviction") in {(s.name, s.value) for s in changes}


def test_sentinels_forget_units_that_were_removed_once_everybody_is_there() -> None:
    made = facts()
    sentinels = {ip: replace(s, others=5) for ip, s in made.cluster.sentinels.items()}
    stale = replace(made, cluster=replace(made.cluster, sentinels=sentinels))
    assert run(stale) == [ResetSentinel(ip, 2) for ip in IPS]
    assert run(replace(stale, planned=6)) == [], "the others have only not been met yet"
    assert not any(
        isinstance(a, ResetSentinel)
        for a in run(replace(stale, cluster=stale.cluster.without({IPS[2]})))
    )
