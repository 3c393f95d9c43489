"""The databags of the peer relation: what is written is read back, by other releases too."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import ops
import pytest
from ops import testing

from valkey_client import Endpoint
from valkey_operator.model.peer_data import DataReport, Peer, RestartNeed, SharedState
from valkey_operator.model.published_topology import PublishedTopology
from valkey_operator.model.tls_policy import TlsPolicy, UnitTlsReport
from valkey_operator.peers import FORMAT, Peers
from valkey_operator.rules.accounts import Account
from valkey_operator.rules.append_only import Condition, Data

ENDPOINT = "valkey-peers"

PEER = Peer(
    "v/0",
    "10.0.0.1",
    generation=3,
    config_digest="0123456789abcdef",
    restart_need=RestartNeed.SENTINEL,
    memory=2**34,
    tls=UnitTlsReport("leaf", ("PEM",), frozenset({"fingerprint"})),
)

SHARED = SharedState(
    secret="secret:d1q9s3rtkofvc7ef4ua0",
    first_primary="10.0.0.2",
    epoch=4,
    restarting_unit="v/1",
    accounts={
        "relation-1-r": Account("relation-1-r", "5e88", "a:*", 1, "r"),
        "relation-2": Account("relation-2", "5e89", "b:*", 2, "", ("b:x.*",), True, True, 17),
    },
    pending=frozenset({2, 3}),
    published=PublishedTopology(
        (Endpoint("10.0.0.2", 6379),),
        (Endpoint("10.0.0.1", 6379), Endpoint("10.0.0.3", 6379)),
        (Endpoint("fd00::1", 26379),),
        "9.1.2",
        "digest",
    ),
    databases={"app/b:*": 17},
    tls=TlsPolicy(
        on=True,
        is_strict=True,
        cas=("PEM",),
        issuers=frozenset({"fingerprint"}),
        client_cas_by_source={"client-cas": ("CA",)},
    ),
)


class Charm(ops.CharmBase):
    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.peer_relation = Peers(self, ENDPOINT)


CONTEXT = testing.Context(Charm, meta={"name": "v", "peers": {ENDPOINT: {"interface": "x"}}})


def write(peer: Peer | None = None, shared: SharedState | None = None) -> testing.PeerRelation:
    """The peer relation after the leader, unit 0, has written these records."""
    relation = testing.PeerRelation(ENDPOINT)
    state = testing.State(leader=True, relations=[relation])
    with CONTEXT(CONTEXT.on.start(), state) as manager:
        if peer:
            manager.charm.peer_relation.publish_unit(peer)
        if shared:
            manager.charm.peer_relation.update_shared(shared)
        state = manager.run()
    written = state.get_relation(relation.id)
    assert isinstance(written, testing.PeerRelation)
    return written


def read(*units: dict[str, str], app: dict[str, str] | None = None) -> tuple[Any, SharedState]:
    """The records in databags of units, of which unit 0 reads, and of the application."""
    own, *others = units or ({},)
    relation = testing.PeerRelation(
        ENDPOINT,
        local_unit_data=own,
        local_app_data=app or {},
        peers_data=dict(enumerate(others, start=1)),
    )
    state = testing.State(relations=[relation])
    with CONTEXT(CONTEXT.on.start(), state) as manager:
        peers = manager.charm.peer_relation
        return peers.all(), peers.shared()


def read_peer(bag: dict[str, str]) -> Peer:
    (peer,), _ = read({"address": "10.0.0.1", **bag})
    return peer


def own_keys(bag: Any) -> dict[str, str]:
    """A databag without the addresses that Juju writes into it."""
    of_juju = {"egress-subnets", "ingress-address", "private-address"}
    return {key: text for key, text in bag.items() if key not in of_juju}


# This release.


@pytest.mark.parametrize(
    "peer",
    [
        PEER,
        Peer("v/0", "10.0.0.1"),
        *(replace(PEER, restart_need=need) for need in RestartNeed),
        replace(PEER, generation=1),
    ],
)
def test_a_unit_databag_is_read_back(peer: Peer) -> None:
    bag = write(peer).local_unit_data
    assert read(dict(bag))[0] == (peer,)


def test_an_application_databag_is_read_back() -> None:
    bag = write(shared=SHARED).local_app_data
    assert read(app=dict(bag))[1] == SHARED
    empty = write(shared=SharedState()).local_app_data
    assert read(app=dict(empty))[1] == SharedState()


def test_both_databags_name_their_format() -> None:
    relation = write(PEER, SHARED)
    assert relation.local_unit_data["format"] == relation.local_app_data["format"] == FORMAT


def test_what_is_empty_takes_no_key_in_a_databag() -> None:
    relation = write(Peer("v/0", "10.0.0.1"), SharedState())
    assert own_keys(relation.local_unit_data) == {
        "format": FORMAT,
        "address": "10.0.0.1",
        "memory": "0",
    }
    assert relation.local_app_data == {"format": FORMAT}


def test_units_are_in_order_of_their_numbers_without_those_that_have_no_address() -> None:
    bags = [{"address": f"10.0.0.{n}"} if n != 3 else {"memory": "1"} for n in range(12)]
    peers, _ = read(*bags)
    assert [peer.number for peer in peers] == [0, 1, 2, *range(4, 12)]
    assert peers[-1].address == "10.0.0.11"


def test_without_a_relation_nothing_is_read_or_written() -> None:
    with CONTEXT(CONTEXT.on.start(), testing.State(leader=True)) as manager:
        peers = manager.charm.peer_relation
        peers.publish_unit(PEER)
        peers.update_shared(SHARED)
        assert peers.all() == ()
        assert peers.own() == Peer("v/0", "")
        assert peers.shared() == SharedState()


# The first release, which wrote no format.

FIRST_UNIT = {
    "address": "10.0.0.1",
    "started": "9f86d081",
    "memory": "17179869184",
    "wanted": "0123456789abcdef",
    "needs-restart": "true",
    "tls": json.dumps({"leaf": "leaf", "anchors": ["PEM"], "trusts": ["fingerprint"]}),
}

FIRST_APPLICATION = {
    "secret": "secret:d1q9s3rtkofvc7ef4ua0",
    "first-primary": "10.0.0.2",
    "epoch": "4",
    "turn": "v/1",
    "accounts": json.dumps(
        {
            "relation-1-r": {
                "prefix": "a:*", "relation_id": 1, "request_id": "r", "sha256": "5e88",
            },
            "relation-2": {
                "channel_patterns": ["b:x.*"], "database": 17, "keyspace_events": True,
                "prefix": "b:*", "relation_id": 2, "scan": True, "sha256": "5e89",
            },
        }
    ),
    "pending": "[2, 3]",
    "published": json.dumps(
        ["10.0.0.2:6379", "10.0.0.1:6379,10.0.0.3:6379", "[fd00::1]:26379", "9.1.2", "digest"]
    ),
    "databases": json.dumps({"app/b:*": 17}),
    "tls": "on",
    "tls-cas": json.dumps(["PEM"]),
    "tls-issuers": json.dumps(["fingerprint"]),
    "client-cas": json.dumps({"client-cas": ["CA"]}),
}  # fmt: skip


def test_the_databags_of_the_first_release_are_understood() -> None:
    peers, shared = read(FIRST_UNIT, app=FIRST_APPLICATION)
    assert peers == (replace(PEER, generation=1, restart_need=RestartNeed.SERVERS),)
    assert shared == SHARED


@pytest.mark.parametrize("started", ["true", "9f86d081", "12345678", "00000000"])
def test_a_unit_of_the_first_release_that_started_has_generation_1(started: str) -> None:
    """It wrote a random hexadecimal text of eight characters, digits only once in a while."""
    peer = read_peer({"started": started})
    assert peer.generation == 1
    assert peer.started


def test_a_unit_of_the_first_release_that_has_not_started_has_generation_0() -> None:
    assert not read_peer({"started": ""}).started
    assert not read_peer({}).started


@pytest.mark.parametrize(
    ("text", "need"),
    [
        ("", RestartNeed.NONE),
        ("true", RestartNeed.SERVERS),
        ("sentinel", RestartNeed.SENTINEL),
    ],
)
def test_the_restart_need_is_what_the_first_release_wrote(text: str, need: RestartNeed) -> None:
    assert read_peer({"needs-restart": text}).restart_need is need
    written = write(replace(PEER, restart_need=need)).local_unit_data
    assert written.get("needs-restart", "") == text


def test_the_first_release_reads_what_this_one_writes() -> None:
    """Every key that it knew is there, as it wrote it; what it tests of ``started`` is truth."""
    relation = write(replace(PEER, restart_need=RestartNeed.SERVERS), SHARED)
    unit = own_keys(relation.local_unit_data)
    assert {key: unit[key] for key in FIRST_UNIT} == {**FIRST_UNIT, "started": "3"}
    assert unit.keys() - FIRST_UNIT.keys() == {"format"}
    application = dict(relation.local_app_data)
    assert {key: application[key] for key in FIRST_APPLICATION} == FIRST_APPLICATION
    assert application.keys() - FIRST_APPLICATION.keys() == {"format"}


# Later releases.


def test_unknown_keys_of_a_later_format_are_ignored() -> None:
    unit = {**FIRST_UNIT, "format": "7", "started": "3", "zone": '{"rack": 1}'}
    unit["tls"] = json.dumps({**json.loads(unit["tls"]), "ocsp": []})
    application = {**FIRST_APPLICATION, "format": "7", "rotation": "x"}
    accounts = json.loads(application["accounts"])
    accounts["relation-1-r"]["quota"] = 5
    peers, shared = read(unit, app={**application, "accounts": json.dumps(accounts)})
    assert peers == (replace(PEER, restart_need=RestartNeed.SERVERS),)
    assert shared == SHARED


def test_unknown_values_of_a_later_format_do_not_raise() -> None:
    peer = read_peer({"format": "7", "started": "g4-beta", "needs-restart": "kernel"})
    assert (peer.generation, peer.restart_need) == (1, RestartNeed.NONE)
    for published in ('{"version": 2}', "[]", '["a", "b", "c", "d", 5]', '"x"', "5"):
        _, shared = read(app={"format": "7", "published": published, "tls": "mutual"})
        assert shared == SharedState()


@pytest.mark.parametrize(
    "data",
    [
        DataReport(),
        DataReport.of(Data(Condition.PRESENT, last_write=1_700_000_000)),
        DataReport(
            Condition.DAMAGED,
            is_withheld=True,
            epoch=3,
            replication_id="a" * 40,
            offset=9,
            time=1_700_000_000.25,
            address="10.0.0.1",
            others=("10.0.0.2",),
            is_final=True,
            is_accepted=True,
        ),
    ],
)
def test_a_data_report_is_written_as_it_was_read(data: DataReport) -> None:
    """Otherwise a hook that changes nothing wakes all units."""
    again = DataReport.read(data.text())
    assert again == data
    assert again and again.text() == data.text()


def test_a_data_report_of_a_later_release_is_none() -> None:
    assert DataReport.read('{"condition": "unheard-of"}') is None
    assert DataReport.read("") is None
