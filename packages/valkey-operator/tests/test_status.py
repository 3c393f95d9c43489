"""What the status of the application says."""

from __future__ import annotations

from dataclasses import replace

import ops
import pytest

from valkey_operator.decide.status import address_problem, application_status, shared_keys
from valkey_operator.model.facts import Facts
from valkey_operator.rules.accounts import Version
from valkey_operator.rules.settings import Settings

from .cluster_model import (
    IPS,
    account,
    client_relation,
    make_cluster,
    make_facts,
    make_plan,
    request,
    without_units,
)

ONE, TWO = account(), account("relation-2-r", "a:b:*", relation=2)
STRICT = Settings(isolation="strict")


def status_of(facts: Facts) -> ops.StatusBase:
    return application_status(facts, make_plan(facts))


def test_it_names_the_primary_and_counts_clients() -> None:
    assert status_of(make_facts(ONE)) == ops.ActiveStatus("Primary is v/0; 1 client")
    assert status_of(make_facts()) == ops.ActiveStatus("Primary is v/0; 0 clients")


def test_it_names_a_unit_whose_server_does_not_answer() -> None:
    status = status_of(without_units(make_facts(), IPS[1]))
    assert "No answer from the server of v/1" in status.message


def test_it_is_blocked_without_a_majority_of_sentinels() -> None:
    status = status_of(without_units(make_facts(), IPS[1], IPS[2]))
    assert isinstance(status, ops.BlockedStatus)
    assert "bring back v/1, v/2" in status.message


def test_it_is_waiting_without_a_primary() -> None:
    facts = make_facts()
    sentinels = {ip: replace(s, primary=ip) for ip, s in facts.cluster.sentinels.items()}
    facts = replace(facts, cluster=replace(facts.cluster, sentinels=sentinels))
    assert isinstance(status_of(facts), ops.WaitingStatus)


def test_it_names_applications_that_share_keys_and_counts_further_ones() -> None:
    facts = make_facts(related=range(1, 6))
    assert shared_keys(facts, [ONE]) == ""
    assert shared_keys(facts, [TWO, ONE]) == (
        "clients share keys: app1 (relation 1) a:*, app2 (relation 2) a:b:*"
    )
    many = [account(f"relation-{n}-r", relation=n) for n in range(1, 6)]
    assert shared_keys(facts, many).endswith("app3 (relation 3) a:* and 2 more")


def test_it_is_blocked_if_applications_share_keys_in_spite_of_strict_isolation() -> None:
    status = status_of(make_facts(ONE, TWO, settings=STRICT))
    assert isinstance(status, ops.BlockedStatus)
    assert "isolation=strict" in status.message


def test_it_names_applications_that_strict_isolation_refuses() -> None:
    relation = client_relation(request("a:b:*", relation=2), relation=2)
    status = status_of(make_facts(ONE, relations=[relation], settings=STRICT))
    assert status == ops.ActiveStatus(
        "Primary is v/0; 1 client; isolation=strict refuses app2 (relation 2)"
    )


@pytest.mark.parametrize(
    ("version", "advice"),
    [((8, 0, 1), "Valkey 8.0.1 has CVE-2025-46818 and 3 more: update to 8.0.8 or later"),
     ((8, 0, 7), "Valkey 8.0.7 has CVE-2026-23479 and 2 more: update to 8.0.8 or later"),
     ((7, 2, 7), "update to 7.2.13"), ((8, 1, 3), "update to 8.1.7"),
     ((9, 0, 3), "update to 9.0.4"),
     ((7, 2, 13), ""), ((8, 0, 8), ""), ((8, 1, 7), ""), ((9, 0, 4), ""), ((9, 1, 0), "")],
)  # fmt: skip
def test_it_names_a_server_version_with_a_known_vulnerability(
    version: Version, advice: str
) -> None:
    message = status_of(make_facts(cluster=make_cluster(version=version))).message
    assert advice in message
    assert ("CVE-" in message) == bool(advice)


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "fe80::1", "valkey-0.endpoints"])
def test_an_address_that_others_can_reach_is_no_problem(address: str) -> None:
    assert address_problem(address, "valkey-peers") is None


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_an_address_that_means_any_is_refused(address: str) -> None:
    problem = address_problem(address, "valkey-peers")
    assert isinstance(problem, ops.BlockedStatus)
    assert problem.message == (
        f"Juju gives this unit the address {address}, where nobody can reach it; bind valkey-peers"
        " to another space"
    )


def test_a_unit_waits_for_its_address() -> None:
    assert isinstance(address_problem("", "valkey-peers"), ops.WaitingStatus)
