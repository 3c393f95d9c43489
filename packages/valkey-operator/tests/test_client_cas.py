"""CAs of clients are trusted as long as the relation exists, whoever saw it end."""

from __future__ import annotations

import dataclasses

import ops
import pytest
from ops import testing

from valkey_operator.tls.client_cas import ClientCas

ENDPOINT = "client-cas"
META = {"name": "v", "requires": {ENDPOINT: {"interface": "certificate_transfer"}}}


class Charm(ops.CharmBase):
    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.cas = ClientCas(self, ENDPOINT)


def end_as_follower(context: testing.Context[Charm]) -> testing.State:
    """The relation begins and ends while another unit leads; this one is elected then."""
    relation = testing.Relation(ENDPOINT)
    state = testing.State(leader=False, relations=[relation])
    state = context.run(context.on.relation_created(relation), state)
    state = context.run(context.on.relation_broken(state.get_relation(relation.id)), state)
    return dataclasses.replace(state, relations=[], leader=True)


@pytest.mark.parametrize("hook", ["leader_elected", "config_changed", "update_status", "start"])
def test_a_leader_that_did_not_lead_when_the_relation_ended_takes_them_back(hook: str) -> None:
    context = testing.Context(Charm, meta=META)
    state = end_as_follower(context)
    with context(getattr(context.on, hook)(), state) as manager:
        assert manager.charm.cas.read(trusted=("ca",)) == ()
        assert manager.charm.cas.read(trusted=()) is None


def test_a_relation_that_is_there_is_not_taken_for_one_that_ended() -> None:
    context = testing.Context(Charm, meta=META)
    relation = testing.Relation(ENDPOINT)
    state = testing.State(leader=True, relations=[relation])
    with context(context.on.config_changed(), state) as manager:
        assert manager.charm.cas.read(trusted=("ca",)) is None
