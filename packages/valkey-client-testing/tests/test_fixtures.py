"""Both ends of the library find every state of the fixtures."""

from __future__ import annotations

import dataclasses
from typing import Any

import ops
import pytest
from ops import testing

import valkey_client
from valkey_client.options import RequestOptions
from valkey_client_testing import fixtures
from valkey_client_testing.fixtures import relation_for_provider, relation_for_requirer

APPLICATION = {"name": "app", "requires": {"valkey": {"interface": "valkey_client"}}}
PROVIDER = {"name": "valkey", "provides": {"clients": {"interface": "valkey_client"}}}


class V1Application(ops.CharmBase):
    wire: Any = "v1"

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.valkey = valkey_client.ValkeyRequirer(self, "valkey", "application:*", wire=self.wire)
        framework.observe(self.on.collect_unit_status, self._on_status)

    def _on_status(self, event: ops.CollectStatusEvent) -> None:
        event.add_status(self.valkey.status)


class V0Application(V1Application):
    wire = "v0"


class ProviderCharm(ops.CharmBase):
    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.clients = valkey_client.ValkeyProvider(self, "clients")
        framework.observe(self.clients.on.released, self._on_released)
        self.prefixes = [str(request.prefix) for request in self.clients.requests]

    def _on_released(self, event: valkey_client.RequestsReleasedEvent) -> None:
        self.clients.withdraw(event.relation.id, event.request_ids)


CHARMS = {"v0": V0Application, "v1": V1Application}


def emitted_events(ctx: testing.Context[Any]) -> list[str]:
    return [
        event.handle.kind
        for event in ctx.emitted_events
        if isinstance(event, ops.RelationEvent) and not type(event).__module__.startswith("ops.")
    ]


@pytest.mark.parametrize("wire", ["v0", "v1"])
def test_a_requirer_with_a_grant_has_access(wire: Any) -> None:
    ctx = testing.Context(CHARMS[wire], meta=APPLICATION)
    initial = relation_for_requirer("valkey", app="app", wire=wire)
    with ctx(ctx.on.relation_changed(initial.relation), initial.state()) as manager:
        out = manager.run()
        access = manager.charm.valkey.access
    assert access is not None
    assert access.password == fixtures.PASSWORD
    assert access.topology == fixtures.TOPOLOGY
    assert emitted_events(ctx) == ["ready"]
    assert out.unit_status == testing.ActiveStatus()
    # Its request was there already, with the same id.
    (relation,) = out.relations
    assert relation.local_app_data == initial.relation.local_app_data


@pytest.mark.parametrize("wire", ["v0", "v1"])
@pytest.mark.parametrize(
    ("state", "event"),
    [("tls", ["changed"]), ("moved", ["changed"]), ("gone", ["gone"]), ("malformed", []),
     ("rejected", ["gone", "rejected"])],
)  # fmt: skip
def test_a_requirer_emits_an_event_for_each_change(
    wire: Any, state: Any, event: list[str]
) -> None:
    charm = CHARMS[wire]
    initial = relation_for_requirer("valkey", app="app", wire=wire)
    ctx = testing.Context(charm, meta=APPLICATION)
    out = ctx.run(ctx.on.relation_changed(initial.relation), initial.state())
    next_state = relation_for_requirer("valkey", state, app="app", wire=wire)
    ctx = testing.Context(charm, meta=APPLICATION)
    with ctx(ctx.on.relation_changed(next_state.relation), next_state.state(out)) as manager:
        manager.run()
        access = manager.charm.valkey.access
    assert emitted_events(ctx) == event
    if state == "tls":
        assert access is not None
        assert access.tls_ca == fixtures.CA
    elif state == "moved":
        assert access is not None
        assert access.topology == fixtures.MOVED
    else:
        assert access is None


def test_a_requirer_reads_a_new_password() -> None:
    ctx = testing.Context(V1Application, meta=APPLICATION)
    initial = relation_for_requirer("valkey", "rotated", app="app")
    changed = ctx.on.secret_changed(initial.secrets[0])
    with ctx(changed, initial.state()) as manager:
        before = manager.charm.valkey.access
        manager.run()
        after = manager.charm.valkey.access
    assert before is not None
    assert after is not None
    assert (before.password, after.password) == (fixtures.PASSWORD, fixtures.NEW_PASSWORD)


@pytest.mark.parametrize(("state", "status"), [("asked", "waiting"), ("rejected", "blocked")])
def test_the_status_of_a_requirer_without_a_grant(state: Any, status: str) -> None:
    ctx = testing.Context(V1Application, meta=APPLICATION)
    initial = relation_for_requirer("valkey", state, app="app")
    out = ctx.run(ctx.on.relation_changed(initial.relation), initial.state())
    assert out.unit_status.name == status


@pytest.mark.parametrize("wire", ["v0", "v1"])
@pytest.mark.parametrize("state", ["asked", "granted", "tls", "moved", "rotated", "rejected"])
def test_a_provider_reads_the_request(wire: Any, state: Any) -> None:
    ctx = testing.Context(ProviderCharm, meta=PROVIDER)
    initial = relation_for_provider("clients", state, wire=wire)
    with ctx(ctx.on.relation_changed(initial.relation), initial.state()) as manager:
        out = manager.run()
        assert manager.charm.prefixes == ["application:*"]
    assert emitted_events(ctx) == (["changed"] if state in {"asked", "rejected"} else [])
    assert len(list(out.secrets)) == (0 if state in {"asked", "rejected"} else 2)


@pytest.mark.parametrize("wire", ["v0", "v1"])
def test_a_provider_releases_a_withdrawn_request(wire: Any) -> None:
    ctx = testing.Context(ProviderCharm, meta=PROVIDER)
    initial = relation_for_provider("clients", "gone", wire=wire)
    out = ctx.run(ctx.on.relation_changed(initial.relation), initial.state())
    assert emitted_events(ctx) == ["released"]
    assert list(out.secrets) == []


def test_a_provider_keeps_a_grant_when_the_request_is_malformed() -> None:
    ctx = testing.Context(ProviderCharm, meta=PROVIDER)
    initial = relation_for_provider("clients", "malformed")
    out = ctx.run(ctx.on.relation_changed(initial.relation), initial.state())
    assert emitted_events(ctx) == []
    assert len(list(out.secrets)) == 2
    (relation,) = out.relations
    assert '"code": 5001' in relation.local_app_data["status"]


def test_a_provider_publishes_a_new_primary() -> None:
    ctx = testing.Context(ProviderCharm, meta=PROVIDER)
    initial = relation_for_provider("clients", "granted")
    with ctx(ctx.on.update_status(), initial.state()) as manager:
        changed = manager.charm.clients.update(fixtures.MOVED)
        out = manager.run()
    (relation,) = out.relations
    assert changed == [initial.relation.id]
    moved = relation_for_provider("clients", "moved")
    assert relation.local_app_data == moved.relation.local_app_data | {
        "requests": relation.local_app_data["requests"]
    }
    assert "10.0.0.2:6379" in relation.local_app_data["requests"]


def test_other_relations_of_an_earlier_state_stay() -> None:
    initial = relation_for_requirer("valkey", app="app")
    other = testing.Relation("other", id=99)
    after = dataclasses.replace(initial.state(), relations={initial.relation, other})
    moved = relation_for_requirer("valkey", "moved", app="app")
    assert {r.id for r in moved.state(after).relations} == {7, 99}


class OptionsApplication(V1Application):
    def __init__(self, framework: ops.Framework):
        ops.CharmBase.__init__(self, framework)
        self.valkey = valkey_client.ValkeyRequirer(
            self,
            "valkey",
            "application:*",
            channel_patterns=("application:room.*",),
            own_database=True,
        )
        framework.observe(self.on.collect_unit_status, self._on_status)


def test_requested_options_are_granted() -> None:
    options = RequestOptions(channel_patterns=("application:room.*",), own_database=True)
    ctx = testing.Context(OptionsApplication, meta=APPLICATION)
    initial = relation_for_requirer("valkey", "granted", app="app", options=options)
    with ctx(ctx.on.relation_changed(initial.relation), initial.state()) as manager:
        manager.run()
        access = manager.charm.valkey.access
        assert access is not None
        assert (access.options, access.database) == (options, 16)

    provider = testing.Context(ProviderCharm, meta=PROVIDER)
    requested = relation_for_provider("clients", "asked", options=options)
    with provider(provider.on.relation_changed(requested.relation), requested.state()) as manager:
        assert [r.options for r in manager.charm.clients.requests] == [options]
