"""How long CAs of clients are trusted: as long as their relation exists."""

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


def state_after_relation_ended(context: testing.Context[Charm]) -> testing.State:
    """The relation began and ended while another unit led; this one has been elected since."""
    relation = testing.Relation(ENDPOINT)
    state = testing.State(leader=False, relations=[relation])
    state = context.run(context.on.relation_created(relation), state)
    state = context.run(context.on.relation_broken(state.get_relation(relation.id)), state)
    return dataclasses.replace(state, relations=[], leader=True)


@pytest.mark.parametrize("hook", ["leader_elected", "config_changed", "update_status", "start"])
def test_a_new_leader_no_longer_trusts_cas_of_a_relation_that_ended_before(hook: str) -> None:
    context = testing.Context(Charm, meta=META)
    state = state_after_relation_ended(context)
    with context(getattr(context.on, hook)(), state) as manager:
        assert manager.charm.cas.read(trusted=("ca",)) == ()
        assert manager.charm.cas.read(trusted=()) is None


def test_cas_of_a_relation_that_exists_stay_trusted() -> None:
    context = testing.Context(Charm, meta=META)
    relation = testing.Relation(ENDPOINT)
    state = testing.State(leader=True, relations=[relation])
    with context(context.on.config_changed(), state) as manager:
        assert manager.charm.cas.read(trusted=("ca",)) is None
