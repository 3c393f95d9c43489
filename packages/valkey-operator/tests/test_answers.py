"""Which requests are granted, with which options, and what requirers are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from valkey_client import Grant, Notice, Refusal, RequestOptions, statuses
from valkey_operator.decide.plan import Plan
from valkey_operator.model.steps import ConfigureServer, DropAccounts
from valkey_operator.rules.accounts import Account
from valkey_operator.rules.settings import Settings

from .cluster_model import (
    IPS,
    account,
    assert_nothing_to_do,
    client_relation,
    granted,
    make_cluster,
    make_facts,
    make_plan,
    of_kind,
    only,
    request,
    with_shared,
    without_units,
)

STRICT = Settings(isolation="strict")


def codes(grant: Grant) -> list[int]:
    return [status.code for status in grant.statuses]


def granted_account(plan: Plan) -> Account:
    """The account of the plan's only grant."""
    return plan.shared.accounts[only(Grant, plan.answers).access.username]


# Sharing.


def test_requirers_that_share_keys_are_notified_the_earlier_one_too() -> None:
    later = client_relation(request("a:b:*", relation=2), relation=2)
    plan = make_plan(make_facts(account(), relations=[later]))
    assert codes(only(Grant, plan.answers)) == [statuses.SHARED]
    notice = only(Notice, plan.answers)
    assert (notice.relation_id, notice.request_id, notice.code) == (1, "r", statuses.SHARED)
    assert notice.status is not None


def test_a_requirer_that_no_longer_shares_keys_is_notified() -> None:
    facts = make_facts(account(), account("relation-2-r", "a:b:*", relation=2))
    plan = make_plan(replace(facts, applications={1: "app1"}))
    assert only(Notice, plan.answers) == Notice(1, "r", statuses.SHARED, None)


def test_a_third_sharer_does_not_notify_the_first_two_again() -> None:
    first, second = account(), account("relation-2-r", relation=2)
    third = client_relation(request(relation=3), relation=3)
    plan = make_plan(make_facts(first, second, relations=[third]))
    assert of_kind(Notice, plan.answers) == []
    assert codes(only(Grant, plan.answers)) == [statuses.SHARED]


def test_requests_of_one_relation_that_overlap_are_not_sharing() -> None:
    relation = client_relation(request("a:*", "r"), request("a:b:*", "s"), granted=granted())
    plan = make_plan(make_facts(account(), relations=[relation]))
    assert codes(only(Grant, plan.answers)) == []
    assert of_kind(Notice, plan.answers) == []


@pytest.mark.parametrize("prefix", ["a:*", "a:b:*", "*", "a:b"])
def test_strict_isolation_refuses_a_prefix_that_overlaps(prefix: str) -> None:
    relation = client_relation(request(prefix, relation=2), relation=2)
    plan = make_plan(make_facts(account(), relations=[relation], settings=STRICT))
    refusal = only(Refusal, plan.answers)
    assert refusal.status.code == statuses.NOT_ISOLATED
    assert "isolation=shared" in refusal.status.resolution
    assert plan.shared.pending == {2}, "it is looked at again when others change"
    assert plan.not_isolated == (2,)


def test_strict_isolation_refuses_all_keys_even_to_the_only_requirer() -> None:
    plan = make_plan(make_facts(relations=[client_relation(request("*"))], settings=STRICT))
    assert only(Refusal, plan.answers).status.code == statuses.NOT_ISOLATED


def test_strict_isolation_grants_the_first_of_two_overlapping_requests() -> None:
    second = client_relation(request("a:b:*", relation=2), relation=2)
    facts = make_facts(relations=[client_relation(request()), second], settings=STRICT)
    plan = make_plan(facts)
    assert granted_account(plan).relation_id == 1
    assert only(Refusal, plan.answers).request.relation_id == 2


def test_strict_isolation_withdraws_nothing_that_was_granted_before() -> None:
    relations = [
        client_relation(request(), granted=granted()),
        client_relation(request(relation=2), relation=2, granted=granted()),
    ]
    first, second = account(), account("relation-2-r", relation=2)
    assert_nothing_to_do(make_facts(first, second, relations=relations, settings=STRICT))


def test_a_refused_change_of_prefix_drops_the_old_account() -> None:
    first, second = account(), account("relation-2-r", "b:*", relation=2)
    moved = client_relation(request("a:b:*", relation=2), relation=2, granted=granted("b:*"))
    plan = make_plan(make_facts(first, second, relations=[moved], settings=STRICT))
    assert only(Refusal, plan.answers).request.relation_id == 2
    drops = of_kind(DropAccounts, plan.steps)
    assert {name for step in drops for name in step.names} == {"relation-2-r"}
    assert plan.shared.accounts.keys() == {"relation-1-r"}


def test_a_change_of_prefix_keeps_the_old_account_while_a_unit_does_not_answer() -> None:
    relation = client_relation(request("b:*"), granted=granted())
    facts = make_facts(account(), relations=[relation])
    plan = make_plan(without_units(facts, IPS[2]))
    assert plan.answers == ()
    assert of_kind(DropAccounts, plan.steps) == []
    assert plan.shared.pending == {1}


# Options.


def test_channels_and_keyspace_events_are_granted_in_the_account_and_set_on_servers() -> None:
    wanted = request(channel_patterns=("a:room.*",), keyspace_events=True)
    plan = make_plan(make_facts(relations=[client_relation(wanted)]))
    assert granted_account(plan).patterns == ("~a:*", "&a:*", "&a:room.*", "&__keyspace@0__:a:*")
    assert only(Grant, plan.answers).access.options == wanted.options
    changes = of_kind(ConfigureServer, plan.steps)
    assert {step.address for step in changes if step.value == "AK"} == set(IPS)


def test_keyspace_events_are_switched_off_when_no_account_has_them() -> None:
    plan = make_plan(make_facts(cluster=make_cluster(notify_keyspace_events="AK")))
    assert {step.value for step in of_kind(ConfigureServer, plan.steps)} == {""}


def test_scan_is_granted_only_with_allow_scan() -> None:
    relation = client_relation(request(scan=True))
    plan = make_plan(make_facts(relations=[relation]))
    grant = only(Grant, plan.answers)
    assert not granted_account(plan).scan
    assert not grant.access.options.scan
    assert "allow-scan" in grant.statuses[0].message
    plan = make_plan(make_facts(relations=[relation], settings=Settings(allow_scan=True)))
    grant = only(Grant, plan.answers)
    assert granted_account(plan).scan
    assert grant.access.options.scan
    assert not grant.statuses


def test_an_own_database_is_granted_if_every_server_supports_database_rules() -> None:
    wanted = request(own_database=True, scan=True)
    relation = client_relation(wanted, application="app")
    plan = make_plan(make_facts(relations=[relation]))
    assert granted_account(plan).database == 16
    options = only(Grant, plan.answers).access.options
    assert options == RequestOptions(scan=True, own_database=True)
    assert not granted_account(plan).scan, "the database is enough"
    assert plan.shared.databases == {"app/a:*": 16}

    plan = make_plan(make_facts(relations=[relation], cluster=make_cluster(version=(9, 1, 1))))
    assert granted_account(plan).database == 0
    notices = str(only(Grant, plan.answers).statuses)
    assert "9.1.2" in notices
    assert "9.1.1" in notices


def test_a_database_is_never_given_to_another_application() -> None:
    databases = {"app/a:*": 17, "gone/x:*": 16}

    def plan_for(application: str) -> Plan:
        relation = client_relation(request(own_database=True), application=application)
        return make_plan(with_shared(make_facts(relations=[relation]), databases=databases))

    assert granted_account(plan_for("app")).database == 17
    assert granted_account(plan_for("other")).database == 18, "not the one with old data"
    databases |= {"x/1": 18, "x/2": 19}
    plan = plan_for("another")
    assert granted_account(plan).database == 0
    assert "20 databases are taken" in str(only(Grant, plan.answers).statuses)


def test_a_change_of_options_keeps_the_password() -> None:
    relation = client_relation(request(channel_patterns=("a:x*",)), granted=granted())
    plan = make_plan(make_facts(account(), relations=[relation]))
    assert only(Grant, plan.answers).access.password == ""
    assert granted_account(plan).sha256 == account().sha256
    assert granted_account(plan).channel_patterns == ("a:x*",)
    assert of_kind(DropAccounts, plan.steps) == []


def test_a_change_of_options_waits_while_a_unit_does_not_answer() -> None:
    relation = client_relation(request(channel_patterns=("a:x*",)), granted=granted())
    facts = make_facts(account(), relations=[relation])
    plan = make_plan(without_units(facts, IPS[2]))
    assert plan.answers == ()
    assert plan.shared.pending == {1}


def test_an_option_that_is_not_granted_is_answered_once() -> None:
    wanted = request(scan=True)
    answered = granted(options_digest=wanted.options.digest)
    assert_nothing_to_do(
        make_facts(account(), relations=[client_relation(wanted, granted=answered)])
    )


def test_allow_scan_grants_scan_to_earlier_requests_with_the_same_password() -> None:
    wanted = request(scan=True)
    answered = granted(options_digest=wanted.options.digest)
    relation = client_relation(wanted, granted=answered)
    plan = make_plan(
        make_facts(account(), relations=[relation], settings=Settings(allow_scan=True))
    )
    assert granted_account(plan).scan
    assert only(Grant, plan.answers).access.password == ""
