"""What carrying out a plan does, in which order, and what an operator reads of it in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from valkey_client import Grant, Notice, Topology, Withdrawal, statuses
from valkey_operator.apply import NodeError, apply_plan
from valkey_operator.decide.plan import Plan
from valkey_operator.model.facts import Facts
from valkey_operator.model.steps import (
    ConfigureSentinel,
    ConfigureServer,
    DropAccounts,
    RecordAccountsDigest,
    ResetSentinel,
    SetAccounts,
    Step,
    SwitchTls,
)
from valkey_operator.model.tls_policy import TlsPolicy
from valkey_operator.rules.accounts import password_digest
from valkey_operator.rules.settings import Settings
from valkey_operator.servers.connection import ServerError

from .cluster_model import (
    IPS,
    account,
    client_relation,
    granted,
    make_cluster,
    make_facts,
    make_plan,
    request,
    with_server,
    without_units,
)


class Recorder:
    """Stands for the cluster, the provider and the peers, and records how each is called.

    Args:
        failing: The address of a server that does not answer.
    """

    def __init__(self, failing: str = ""):
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self._failing = failing

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> None:
            if self._failing and arguments[0] == self._failing:
                raise ServerError("connection refused")
            self.calls.append((name, arguments, options))

        return call

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.calls]


def apply(plan: Plan, facts: Facts, failing: str = "") -> Recorder:
    recorder = Recorder(failing)
    part = cast("Any", recorder)
    apply_plan(plan, facts, cluster=part, provider=part, peers=part)
    return recorder


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG, "valkey_operator"):
        yield caplog


def infos(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno == logging.INFO]


NOTHING = Plan((), (), None, make_facts().shared)


# Order.


def test_servers_are_changed_before_units_and_requirers_are_told() -> None:
    facts = make_facts(relations=[client_relation(request())])
    calls = apply(make_plan(facts), facts).names
    assert calls == [
        *["set_accounts"] * 6,
        *["record_accounts_digest"] * 6,
        "update_shared",
        "respond",
    ]


def test_nothing_is_published_if_a_server_fails() -> None:
    facts = make_facts(relations=[client_relation(request())])
    recorder = Recorder(failing=IPS[0])
    part = cast("Any", recorder)
    with pytest.raises(NodeError, match=rf"^{IPS[0]}: connection refused$") as failure:
        apply_plan(make_plan(facts), facts, part, part, part)
    assert failure.value.address == IPS[0]
    assert set(recorder.names) == {"set_accounts"}


def test_answers_and_the_topology_are_published_in_one_call() -> None:
    facts = make_facts(relations=[client_relation(request())])
    plan = replace(make_plan(facts), topology=Topology())
    name, arguments, options = apply(plan, facts).calls[-1]
    assert (name, arguments, options) == ("respond", (plan.answers,), {"topology": Topology()})


def test_accounts_are_set_with_the_rules_of_the_servers_version() -> None:
    step = SetAccounts(IPS[1], (account(),), on_sentinel=True)
    facts = with_server(make_facts(), IPS[1], version=(8, 0, 1))
    (call,) = apply(replace(NOTHING, steps=(step,)), facts).calls
    expected = (IPS[1], (account(),), (8, 0, 1))
    assert call == ("set_accounts", expected, {"on_sentinel": True})


def test_nothing_is_written_or_logged_if_nothing_changes(log: pytest.LogCaptureFixture) -> None:
    facts = make_facts()
    assert apply(make_plan(facts), facts).calls == []
    assert log.records == []


# The log.

DIGEST = "charm-accounts-0123456789abcdef"


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (SetAccounts(IPS[0], (account(),)), "server of v/0 (10.0.0.1): setting accounts relation-1-r"),
        (
            SetAccounts(IPS[0], (account(), account("relation-2-r")), on_sentinel=True),
            "Sentinel of v/0 (10.0.0.1): setting accounts relation-1-r, relation-2-r",
        ),
        (
            SetAccounts(IPS[0], tuple(account(f"relation-{n}") for n in range(12))),
            ("server of v/0 (10.0.0.1): setting accounts relation-0, relation-1, relation-2, relation-3,"
            " relation-4, relation-5, relation-6, relation-7, relation-8, relation-9 and 2 more"),
        ),
        (
            DropAccounts(IPS[0], ("relation-1-r",)),
            "server of v/0 (10.0.0.1): dropping accounts relation-1-r",
        ),
        (
            DropAccounts(IPS[0], ("relation-1-r",), on_sentinel=True),
            "Sentinel of v/0 (10.0.0.1): dropping accounts relation-1-r",
        ),
        (
            ConfigureServer(IPS[0], "notify-keyspace-events", ""),
            "server of v/0 (10.0.0.1): setting notify-keyspace-events to ''",
        ),
        (
            ConfigureSentinel(IPS[0], "quorum", "2"),
            "Sentinel of v/0 (10.0.0.1): setting quorum to 2",
        ),
        (SwitchTls(IPS[0], True), "server of v/0 (10.0.0.1): switching TLS on"),
        (SwitchTls(IPS[0], False), "server of v/0 (10.0.0.1): switching TLS off"),
        (
            ResetSentinel(IPS[0], 2),
            "Sentinel of v/0 (10.0.0.1): resetting, to forget removed units",
        ),
    ],
)  # fmt: skip
def test_every_change_of_a_server_is_one_info_line(
    log: pytest.LogCaptureFixture, step: Step, line: str
) -> None:
    assert len(apply(replace(NOTHING, steps=(step,)), make_facts()).calls) == 1
    assert infos(log) == [line]


def test_a_recorded_digest_is_a_debug_line(log: pytest.LogCaptureFixture) -> None:
    step = RecordAccountsDigest(IPS[0], DIGEST, ("old",))
    apply(replace(NOTHING, steps=(step,)), make_facts())
    assert [(record.levelno, record.getMessage()) for record in log.records] == [
        (logging.DEBUG, f"server of v/0 (10.0.0.1): recording {DIGEST}")
    ]


def test_the_log_of_a_grant(log: pytest.LogCaptureFixture) -> None:
    facts = make_facts(relations=[client_relation(request(), application="app1")])
    apply(make_plan(facts), facts)
    assert infos(log) == [
        "server of v/1 (10.0.0.2): setting accounts relation-1-r",
        "server of v/2 (10.0.0.3): setting accounts relation-1-r",
        "server of v/0 (10.0.0.1): setting accounts relation-1-r",
        "Sentinel of v/0 (10.0.0.1): setting accounts relation-1-r",
        "Sentinel of v/1 (10.0.0.2): setting accounts relation-1-r",
        "Sentinel of v/2 (10.0.0.3): setting accounts relation-1-r",
        "app1 (relation 1): granted relation-1-r, a new account for prefix a:*",
    ]


def test_the_log_of_changed_options(log: pytest.LogCaptureFixture) -> None:
    relation = client_relation(request(channel_patterns=("a:x*",)), granted=granted())
    facts = make_facts(account(), relations=[relation])
    apply(make_plan(facts), facts)
    assert infos(log)[-1] == "app1 (relation 1): granted relation-1-r, a change for prefix a:*"


def test_the_log_of_a_refusal(log: pytest.LogCaptureFixture) -> None:
    relation = client_relation(request("a:b:*", relation=2), relation=2)
    facts = make_facts(account(), relations=[relation], settings=Settings(isolation="strict"))
    apply(make_plan(facts), facts)
    assert infos(log) == [
        (
            f"app2 (relation 2): refused prefix a:b:* ({statuses.NOT_ISOLATED}): isolation is strict"
            " here, and prefix 'a:b:*' overlaps one that another relation was given"
        )
    ]


def test_the_log_of_a_removed_request(log: pytest.LogCaptureFixture) -> None:
    facts = make_facts(account(), relations=[client_relation()])
    apply(make_plan(facts), facts)
    assert infos(log) == [
        "server of v/1 (10.0.0.2): dropping accounts relation-1-r",
        "server of v/2 (10.0.0.3): dropping accounts relation-1-r",
        "server of v/0 (10.0.0.1): dropping accounts relation-1-r",
        "Sentinel of v/0 (10.0.0.1): dropping accounts relation-1-r",
        "Sentinel of v/1 (10.0.0.2): dropping accounts relation-1-r",
        "Sentinel of v/2 (10.0.0.3): dropping accounts relation-1-r",
        "app1 (relation 1): withdrew the access of relation-1-r",
    ]


def test_the_log_of_a_notice(log: pytest.LogCaptureFixture) -> None:
    status = statuses.shared("a:*")
    plan = replace(
        NOTHING,
        answers=(
            Notice(1, "r", statuses.SHARED, status),
            Notice(1, "r", statuses.SHARED, None),
            Withdrawal(7, ("r", "s")),
        ),
    )
    apply(plan, make_facts(related=[1]))
    assert infos(log) == [
        f"app1 (relation 1): {status.message}",
        f"app1 (relation 1): notice {statuses.SHARED} no longer applies",
        "relation 7: withdrew the access of relation-7-r, relation-7-s",
    ]


def test_the_log_of_a_failover(log: pytest.LogCaptureFixture) -> None:
    facts = make_facts()
    cluster = make_cluster(primary=IPS[1])
    sentinels = {ip: replace(s, epoch=5) for ip, s in cluster.sentinels.items()}
    facts = replace(facts, cluster=replace(cluster, sentinels=sentinels))
    facts = without_units(facts, IPS[0])
    apply(make_plan(facts), facts)
    assert infos(log) == [
        "primary is v/1 (10.0.0.2), epoch 5",
        (
            "telling clients: primary 10.0.0.2:6379, replicas 10.0.0.3:6379,"
            " Sentinels 10.0.0.2:26379, 10.0.0.3:26379"
        ),
    ]


def test_the_log_of_a_service_without_replicas(log: pytest.LogCaptureFixture) -> None:
    apply(replace(NOTHING, topology=Topology()), make_facts())
    assert infos(log) == ["telling clients: primary none, replicas none, Sentinels none"]


@pytest.mark.parametrize(
    ("tls", "lines"),
    [
        (TlsPolicy(cas=("PEM",)), ["servers trust CA certificates: 1"]),
        (
            TlsPolicy(on=True, cas=("PEM",)),
            ["TLS is switched on", "servers trust CA certificates: 1"],
        ),
        (
            TlsPolicy(client_cas_by_source={"client-cas": ("CA", "CB")}),
            ["servers trust CA certificates of clients: 2"],
        ),
    ],
)
def test_the_log_of_a_changed_tls_policy(
    log: pytest.LogCaptureFixture, tls: TlsPolicy, lines: list[str]
) -> None:
    facts = make_facts()
    apply(replace(NOTHING, shared=replace(facts.shared, tls=tls)), facts)
    assert infos(log) == lines


def test_the_log_of_the_end_of_a_switch_to_tls(log: pytest.LogCaptureFixture) -> None:
    facts = make_facts()
    facts = replace(facts, shared=replace(facts.shared, tls=TlsPolicy(on=True)))
    policy = TlsPolicy(on=True, is_strict=True)
    apply(replace(NOTHING, shared=replace(facts.shared, tls=policy)), facts)
    assert infos(log) == ["all servers and Sentinels speak TLS"]


def test_no_password_or_its_digest_is_in_any_line(log: pytest.LogCaptureFixture) -> None:
    relations = [
        client_relation(request("b:*"), request("a:b:*", "s"), granted=granted()),
        client_relation(request(relation=2), relation=2),
    ]
    facts = make_facts(account(), account("relation-3-r", relation=3), relations=relations)
    plan = make_plan(facts)
    passwords = [
        answer.access.password
        for answer in plan.answers
        if isinstance(answer, Grant) and answer.access.password
    ]
    assert len(passwords) == 3
    apply(plan, facts)
    assert infos(log)
    for record in log.records:
        for password in (*passwords, "p"):
            assert password_digest(password) not in record.getMessage()
        for password in passwords:
            assert password not in record.getMessage()
            assert password not in repr(record.args)
