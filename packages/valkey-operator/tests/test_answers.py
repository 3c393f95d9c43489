from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cluster_model import (
    IPS,
    account,
    asked,
    cluster,
    granted,
    request,
    run,
    serving,
)

from valkey_client import RequestOptions, statuses
from valkey_operator.model.steps import (
    ConfigureServer,
    DropAccounts,
    Grant,
    Notify,
    Refuse,
    UpdateSharedState,
)
from valkey_operator.rules.settings import Settings

STRICT = Settings(isolation="strict")


def only(steps: list[Any], kind: type[Any]) -> Any:
    (found,) = [step for step in steps if isinstance(step, kind)]
    return found


def codes(step: Grant) -> list[int]:
    return [status.code for status in step.statuses]


# Sharing.


def test_who_shares_names_is_told_and_so_is_who_shared_them_first() -> None:
    steps = run(serving(account(), asked=(asked(request("a:b:*", relation=2), relation=2),)))
    assert codes(only(steps, Grant)) == [statuses.SHARED]
    inform = only(steps, Notify)
    assert (inform.relation_id, inform.request_id, inform.code) == (1, "r", statuses.SHARED)
    assert inform.status is not None


def test_who_no_longer_shares_is_told_that_too() -> None:
    first, second = account(), account("relation-2-r", "a:b:*", relation=2)
    gone = replace(serving(first, second), relation_ids=frozenset({1}))
    assert only(run(gone), Notify) == Notify(1, "r", statuses.SHARED, None)


def test_a_third_one_changes_nothing_for_the_first_two() -> None:
    first, second = account(), account("relation-2-r", relation=2)
    steps = run(serving(first, second, asked=(asked(request(relation=3), relation=3),)))
    assert not [step for step in steps if isinstance(step, Notify)]
    assert codes(only(steps, Grant)) == [statuses.SHARED]


def test_two_requests_of_one_relation_may_overlap() -> None:
    both = asked(request("a:*", "r"), request("a:b:*", "s"), granted=granted())
    steps = run(serving(account(), asked=(both,)))
    assert codes(only(steps, Grant)) == []
    assert not [step for step in steps if isinstance(step, Notify)]


@pytest.mark.parametrize("prefix", ["a:*", "a:b:*", "*", "a:b"])
def test_strict_isolation_refuses_what_would_share(prefix: str) -> None:
    wanted = asked(request(prefix, relation=2), relation=2)
    steps = run(serving(account(), asked=(wanted,), settings=STRICT))
    refusal = only(steps, Refuse)
    assert refusal.status.code == statuses.NOT_ISOLATED
    assert "isolation=shared" in refusal.status.resolution
    assert only(steps, UpdateSharedState).shared.pending == {2}, (
        "it is looked at again when others change"
    )


def test_strict_isolation_refuses_the_whole_keyspace_to_the_first_too() -> None:
    steps = run(serving(asked=(asked(request("*")),), settings=STRICT))
    assert only(steps, Refuse).status.code == statuses.NOT_ISOLATED


def test_strict_isolation_between_two_that_ask_at_once() -> None:
    wanted = (asked(request()), asked(request("a:b:*", relation=2), relation=2))
    steps = run(serving(asked=wanted, settings=STRICT))
    assert only(steps, Grant).account.relation_id == 1
    assert only(steps, Refuse).request.relation_id == 2


def test_strict_isolation_takes_nothing_from_those_who_shared_before() -> None:
    first, second = account(), account("relation-2-r", relation=2)
    looked_at = (
        asked(request(), granted=granted()),
        asked(request(relation=2), relation=2, granted=granted()),
    )
    assert run(serving(first, second, asked=looked_at, settings=STRICT)) == []


def test_another_prefix_that_is_refused_takes_the_old_account_along() -> None:
    first, second = account(), account("relation-2-r", "b:*", relation=2)
    moved = asked(request("a:b:*", relation=2), relation=2, granted=granted("b:*"))
    steps = run(serving(first, second, asked=(moved,), settings=STRICT))
    assert only(steps, Refuse).request.relation_id == 2
    dropped = {name for s in steps if isinstance(s, DropAccounts) for name in s.names}
    assert dropped == {"relation-2-r"}
    assert only(steps, UpdateSharedState).shared.accounts.keys() == {"relation-1-r"}


def test_another_prefix_waits_for_a_unit_and_the_old_one_stays_of_use() -> None:
    made = serving(account(), asked=(asked(request("b:*"), granted=granted()),))
    steps = run(replace(made, cluster=made.cluster.without({IPS[2]})))
    assert not [step for step in steps if isinstance(step, Grant | Refuse | DropAccounts)]
    assert only(steps, UpdateSharedState).shared.pending == {1}


# Options.


def test_what_a_request_asks_for_is_in_its_account() -> None:
    wanted = request(channel_patterns=("a:room.*",), keyspace_events=True)
    steps = run(serving(asked=(asked(wanted),)))
    grant = only(steps, Grant)
    assert grant.account.patterns == ("~a:*", "&a:*", "&a:room.*", "&__keyspace@0__:a:*")
    assert grant.options == wanted.options
    events = {s.address for s in steps if isinstance(s, ConfigureServer) and s.value == "AK"}
    assert events == set(IPS)


def test_the_server_is_quiet_again_when_nobody_listens() -> None:
    made = serving(cluster=cluster(notify_keyspace_events="AK"))
    assert {s.value for s in run(made) if isinstance(s, ConfigureServer)} == {""}


def test_scan_needs_the_operators_consent() -> None:
    wanted = asked(request(scan=True))
    refused = only(run(serving(asked=(wanted,))), Grant)
    assert not refused.account.scan and not refused.options.scan
    assert "allow-scan" in refused.statuses[0].message
    allowed = only(run(serving(asked=(wanted,), settings=Settings(allow_scan=True))), Grant)
    assert allowed.account.scan and allowed.options.scan and not allowed.statuses


def test_an_own_database_where_every_server_can_hold_an_account_to_one() -> None:
    wanted = asked(request(own_database=True, scan=True), application="app")
    steps = run(serving(asked=(wanted,)))
    grant = only(steps, Grant)
    assert grant.account.database == 16
    assert grant.options == RequestOptions(scan=True, own_database=True)
    assert not grant.account.scan, "the database is fence enough"
    assert only(steps, UpdateSharedState).shared.databases == {"app/a:*": 16}

    old = cluster(version=(9, 1, 1))
    grant = only(run(serving(asked=(wanted,), cluster=old)), Grant)
    assert grant.account.database == 0
    assert "9.1.2" in str(grant.statuses) and "9.1.1" in str(grant.statuses)


def test_a_database_stays_its_applications_for_good() -> None:
    one = request(own_database=True)
    known = {"app/a:*": 17, "gone/x:*": 16}

    def given(application: str) -> Grant:
        made = serving(asked=(asked(one, application=application),))
        return only(run(replace(made, shared=replace(made.shared, databases=known))), Grant)

    assert given("app").account.database == 17
    assert given("other").account.database == 18, "not the one with somebody's old data"
    known |= {"x/1": 18, "x/2": 19}
    full = given("another")
    assert full.account.database == 0
    assert "20 databases are taken" in str(full.statuses)


def test_other_options_change_the_account_and_keep_the_password() -> None:
    wanted = request(channel_patterns=("a:x*",))
    steps = run(serving(account(), asked=(asked(wanted, granted=granted()),)))
    grant = only(steps, Grant)
    assert grant.password == ""
    assert grant.account.sha256 == account().sha256
    assert grant.account.channel_patterns == ("a:x*",)
    assert not [step for step in steps if isinstance(step, DropAccounts)]


def test_other_options_wait_for_a_unit_and_nothing_is_taken_away() -> None:
    wanted = request(channel_patterns=("a:x*",))
    made = serving(account(), asked=(asked(wanted, granted=granted()),))
    steps = run(replace(made, cluster=made.cluster.without({IPS[2]})))
    assert not [step for step in steps if isinstance(step, Grant | Refuse)]
    assert only(steps, UpdateSharedState).shared.pending == {1}


def test_a_refused_option_is_answered_once() -> None:
    wanted = request(scan=True)
    answered = granted(asked=wanted.options.digest)
    assert run(serving(account(), asked=(asked(wanted, granted=answered),))) == []


def test_consent_that_comes_later_reaches_who_asked_before() -> None:
    wanted = request(scan=True)
    answered = granted(asked=wanted.options.digest)
    made = serving(
        account(), asked=(asked(wanted, granted=answered),), settings=Settings(allow_scan=True)
    )
    grant = only(run(made), Grant)
    assert grant.account.scan and grant.password == ""
