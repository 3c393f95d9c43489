from __future__ import annotations

import dataclasses
import json
from typing import Any

import ops
import pytest
from ops import testing

from valkey_client import (
    Access,
    AccessRequest,
    Endpoint,
    Grant,
    Notice,
    Refusal,
    RelationStatus,
    SecretsUnsupportedError,
    Topology,
    ValkeyProvider,
    Withdrawal,
)
from valkey_client.databag import read_requests

META = {"name": "provider", "provides": {"clients": {"interface": "valkey_client"}}}
FIRST = Topology((Endpoint("10.0.0.1", 6379),), version="9.1.2")
SECOND = Topology((Endpoint("10.0.0.2", 6379),), version="9.1.2")


class Charm(ops.CharmBase):
    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.clients = ValkeyProvider(self, "clients")
        self.released: list[tuple[int, tuple[str, ...]]] = []
        self.ended: list[bool] = []
        self.dropped: list[str] = []
        framework.observe(self.clients.on.changed, self._on_changed)
        framework.observe(self.clients.on.released, self._on_released)
        framework.observe(self.on.update_status, self._on_update_status)
        framework.observe(self.clients.on.revision_removed, self._on_revision_removed)
        self.removed: list[tuple[str, int]] = []

    def _on_changed(self, event: Any) -> None:
        for request in self.clients.requests_of(event.relation).requests:
            self.clients.publish(request, access(request, FIRST))

    def _on_released(self, event: Any) -> None:
        self.released.append((event.relation.id, event.request_ids))
        self.ended.append(event.is_all)
        self.dropped += event.usernames
        self.clients.withdraw(event.relation.id, event.request_ids)

    def _on_update_status(self, _: Any) -> None:
        self.clients.update(SECOND)

    def _on_revision_removed(self, event: Any) -> None:
        self.removed.append((event.label, event.revision))


def access(request: AccessRequest, topology: Topology) -> Access:
    return Access(str(request.prefix), request.username, "hunter2", topology)


def asked(*resources: str, ids: str = "1234") -> dict[str, str]:
    items = [{"resource": r, "request-id": i, "salt": "s"} for r, i in zip(resources, ids)]
    return {"version": "v1", "requests": json.dumps(items)}


def context() -> testing.Context[Charm]:
    return testing.Context(Charm, meta=META)


def run(relation: testing.Relation, *others: testing.Relation, **state: Any) -> testing.State:
    ctx = context()
    state.setdefault("leader", True)
    return ctx.run(
        ctx.on.relation_changed(relation), testing.State(relations=[relation, *others], **state)
    )


def answer(state: testing.State, relation: testing.Relation) -> dict[str, Any]:
    bag = dict(state.get_relation(relation.id).local_app_data)
    return {k: json.loads(v) if v[:1] in "[{" else v for k, v in bag.items()}


def test_a_request_is_granted() -> None:
    relation = testing.Relation("clients", remote_app_data=asked("a:*"))
    state = run(relation)
    (response,) = answer(state, relation)["requests"]
    assert response["endpoints"] == "10.0.0.1:6379"
    secrets = {s.id: s for s in state.secrets}
    user, tls = secrets[response["secret-user"]], secrets[response["secret-tls"]]
    assert user.latest_content == {"username": f"relation-{relation.id}-1", "password": "hunter2"}
    assert tls.latest_content == {"tls": "false"}
    assert all(s.remote_grants == {relation.id: {"remote"}} for s in (user, tls))
    assert user.label == f"clients.{relation.id}.1.user.secret"
    assert "hunter2" not in str(answer(state, relation))


def test_a_follower_writes_nothing() -> None:
    relation = testing.Relation("clients", remote_app_data=asked("a:*"))
    state = run(relation, leader=False)
    assert answer(state, relation) == {}


def test_delivering_again_writes_nothing() -> None:
    relation = testing.Relation("clients", remote_app_data=asked("a:*"))
    once = run(relation)
    ctx = context()
    again = ctx.run(ctx.on.relation_changed(once.get_relation(relation.id)), once)
    assert (again.relations, again.secrets) == (once.relations, once.secrets)


def test_a_request_that_is_gone_takes_its_secrets_along() -> None:
    relation = testing.Relation("clients", remote_app_data=asked("a:*", "b:*"))
    state = run(relation)
    assert len(list(state.secrets)) == 4
    fewer = dataclasses.replace(state.get_relation(relation.id), remote_app_data=asked("a:*"))
    ctx = context()
    with ctx(
        ctx.on.relation_changed(fewer), dataclasses.replace(state, relations=[fewer])
    ) as manager:
        after = manager.run()
        assert manager.charm.released == [(relation.id, ("2",))]
        assert manager.charm.ended == [False]
        assert manager.charm.dropped == [f"relation-{relation.id}-2"]
    assert [r["request-id"] for r in answer(after, relation)["requests"]] == ["1"]
    assert answer(after, relation)["data"].keys() - {"status"} == {"1"}
    assert len(list(after.secrets)) == 2


def test_a_relation_that_breaks_takes_everything_along() -> None:
    relation = testing.Relation("clients", remote_app_data=asked("a:*", "b:*"))
    state = run(relation)
    ctx = context()
    with ctx(ctx.on.relation_broken(state.get_relation(relation.id)), state) as manager:
        after = manager.run()
        assert manager.charm.released == [(relation.id, ("1", "2"))]
        assert manager.charm.ended == [True]
        assert manager.charm.dropped == [f"relation-{relation.id}-{n}" for n in (1, 2)]
    assert list(after.secrets) == []


def test_a_v0_relation_that_breaks_names_its_account() -> None:
    relation = testing.Relation("clients", remote_app_data={"database": "a:*"})
    state = run(relation)
    ctx = context()
    with ctx(ctx.on.relation_broken(state.get_relation(relation.id)), state) as manager:
        after = manager.run()
        assert manager.charm.released == [(relation.id, ("",))]
        assert manager.charm.dropped == [f"relation-{relation.id}"]
    assert list(after.secrets) == []


def test_another_relation_is_not_touched() -> None:
    one = testing.Relation("clients", remote_app_name="one", remote_app_data=asked("a:*"))
    other = testing.Relation("clients", remote_app_name="other", remote_app_data=asked("b:*"))
    state = run(one, other)
    assert answer(state, other) == {}


def test_a_change_of_topology_reaches_v0_and_v1_alike() -> None:
    one = testing.Relation("clients", remote_app_name="one", remote_app_data=asked("a:*"))
    old = testing.Relation("clients", remote_app_name="old", remote_app_data={"database": "b:*"})
    state = run(one, old)
    ctx = context()
    state = ctx.run(ctx.on.relation_changed(state.get_relation(old.id)), state)
    state = ctx.run(ctx.on.update_status(), state)
    assert answer(state, one)["requests"][0]["endpoints"] == "10.0.0.2:6379"
    assert answer(state, old)["endpoints"] == "10.0.0.2:6379"
    again = ctx.run(ctx.on.update_status(), state)
    assert (again.relations, again.secrets) == (state.relations, state.secrets)


def test_a_refusal_takes_a_grant_back_and_a_grant_the_refusal() -> None:
    relation = testing.Relation("clients", remote_app_data=asked("a:*"))
    state = run(relation)
    ctx = context()
    with ctx(ctx.on.start(), state) as manager:
        (request,) = manager.charm.clients.requests
        manager.charm.clients.reject(request, RelationStatus(5005, "shared", "Ask."))
        state = manager.run()
    assert answer(state, relation)["requests"] == []
    assert [s["code"] for s in answer(state, relation)["status"]] == [5005]
    assert list(state.secrets) == []
    with ctx(ctx.on.start(), state) as manager:
        (request,) = manager.charm.clients.requests
        manager.charm.clients.publish(request, access(request, FIRST))
        state = manager.run()
    assert len(answer(state, relation)["requests"]) == 1
    assert "status" not in answer(state, relation)


def test_tls_is_published_in_the_secret() -> None:
    relation = testing.Relation("clients", remote_app_data=asked("a:*"))
    state = run(relation)
    ctx = context()
    secure = Topology(FIRST.endpoints, version="9.1.2", tls=True, tls_ca="PEM")
    with ctx(ctx.on.start(), state) as manager:
        assert manager.charm.clients.update(secure) == [relation.id]
        assert manager.charm.clients.update(secure) == []
        state = manager.run()
    tls = next(s for s in state.secrets if s.label and s.label.endswith("tls.secret"))
    assert tls.latest_content == {"tls": "true", "tls-ca": "PEM"}


def test_withdrawing_twice_and_from_nowhere_is_harmless() -> None:
    relation = testing.Relation("clients", remote_app_data=asked("a:*"))
    state = run(relation)
    ctx = context()
    with ctx(ctx.on.start(), state) as manager:
        manager.charm.clients.withdraw(relation.id, ["1"])
        manager.charm.clients.withdraw(relation.id, ["1"])
        manager.charm.clients.withdraw(99999, ["1"])
        state = manager.run()
    assert list(state.secrets) == []


def test_responses_of_every_kind_are_one_write_a_relation(monkeypatch: Any) -> None:
    """Whatever the order in which they are named."""
    one = testing.Relation("clients", remote_app_name="one", remote_app_data=asked("a:*", "b:*"))
    other = testing.Relation("clients", remote_app_name="other", remote_app_data=asked("d:*"))
    state = run(one, other)
    ctx = context()
    state = ctx.run(ctx.on.relation_changed(state.get_relation(other.id)), state)
    wanted = asked("a:*", "c:*", "e:*", ids="134")
    changed = dataclasses.replace(state.get_relation(one.id), remote_app_data=wanted)
    state = dataclasses.replace(state, relations=[changed, state.get_relation(other.id)])
    writes: list[ops.RelationDataContent] = []
    with ctx(ctx.on.start(), state) as manager:
        clients = manager.charm.clients
        requests = {r.request_id: r for r in clients.requests if r.relation_id == one.id}
        content = type(clients.relations[0].data[manager.charm.app])
        update = content.update
        monkeypatch.setattr(content, "update", lambda *a: (writes.append(a[0]), update(*a)))
        touched = clients.respond(
            [
                Notice(one.id, "3", 1001, RelationStatus(1001, "shared")),
                Refusal(requests["4"], RelationStatus(5005, "not allowed", "Ask.")),
                Grant(requests["3"], access(requests["3"], SECOND)),
                Withdrawal(one.id, ("2",)),
            ],
            topology=SECOND,
        )
        state = manager.run()
    assert touched == [one.id, other.id]
    assert len(writes) == 2
    after = answer(state, one)
    assert [r["request-id"] for r in after["requests"]] == ["1", "3"]
    assert {r["endpoints"] for r in after["requests"]} == {"10.0.0.2:6379"}
    assert [s["code"] for s in after["status"]] == [1001, 5005]
    assert answer(state, other)["requests"][0]["endpoints"] == "10.0.0.2:6379"
    assert {s.label for s in state.secrets} == {
        f"clients.{relation}.{request}.{group}.secret"
        for relation, request in ((one.id, 1), (one.id, 3), (other.id, 1))
        for group in ("user", "tls")
    }


def test_no_response_writes_nothing() -> None:
    relation = testing.Relation("clients", remote_app_data=asked("a:*"))
    ctx = context()
    with ctx(ctx.on.start(), testing.State(leader=True, relations=[relation])) as manager:
        assert manager.charm.clients.respond([], topology=SECOND) == []
        assert manager.charm.clients.respond([Withdrawal(relation.id, ())]) == []
        assert manager.charm.clients.respond([Notice(relation.id, "1", 1001, None)]) == []
        state = manager.run()
    assert answer(state, relation) == {}


def test_an_old_juju_is_refused() -> None:
    ctx = testing.Context(Charm, meta=META, juju_version="3.0.2")
    with pytest.raises(testing.errors.UncaughtCharmError) as caught:
        ctx.run(ctx.on.start(), testing.State())
    assert isinstance(caught.value.__cause__, SecretsUnsupportedError)
    assert "clients" in str(caught.value.__cause__)


def test_a_new_leader_answers_requests_from_before() -> None:
    good = testing.Relation("clients", remote_app_name="good", remote_app_data=asked("a:*"))
    bad = testing.Relation(
        "clients", remote_app_name="bad", remote_app_data={"version": "v1", "requests": "{"}
    )
    ctx = context()
    state = ctx.run(ctx.on.leader_elected(), testing.State(leader=True, relations=[good, bad]))
    assert len(answer(state, good)["requests"]) == 1
    assert [s["code"] for s in answer(state, bad)["status"]] == [5001]


def test_a_leader_that_is_being_removed_takes_nothing_back() -> None:
    relation = testing.Relation("clients", remote_app_data=asked("a:*"))
    state = run(relation)
    ctx = testing.Context(Charm, meta=META, app_name="provider", unit_id=0)
    with ctx(ctx.on.relation_broken(state.get_relation(relation.id)), state) as manager:
        manager.charm.clients._stored.leaving = True
        after = manager.run()
    assert len(list(after.secrets)) == 2


def test_an_entry_without_an_id_withdraws_nothing() -> None:
    relation = testing.Relation("clients", remote_app_data=asked("a:*"))
    state = run(relation)
    items = [{"resource": "a:*", "request-id": None}]
    damaged = dataclasses.replace(
        state.get_relation(relation.id),
        remote_app_data={"version": "v1", "requests": json.dumps(items)},
    )
    ctx = context()
    after = ctx.run(
        ctx.on.relation_changed(damaged), dataclasses.replace(state, relations=[damaged])
    )
    assert len(answer(after, relation)["requests"]) == 1
    assert [s["code"] for s in answer(after, relation)["status"]] == [5001]


def test_the_requests_of_a_relation_are_limited() -> None:
    items = [{"resource": f"a{n}:*", "request-id": str(n)} for n in range(1001)]
    bag = {"version": "v1", "requests": json.dumps(items)}
    found = read_requests(bag)
    assert len(found.requests) == 1000
    assert [p.code for p in found.problems] == [5006]


@pytest.mark.parametrize("damage", [{"version": "v2"}, {"requests": "["}, {"version": "V1"}])
def test_damage_changes_nothing_of_what_was_answered(damage: dict[str, str]) -> None:
    """A status is published, in the format that the requirer reads."""
    relation = testing.Relation("clients", remote_app_data=asked("a:*", "b:*"))
    before = run(relation)
    known = before.get_relation(relation.id)
    broken = dataclasses.replace(known, remote_app_data={**asked("a:*", "b:*"), **damage})
    after = run(broken, secrets=before.secrets)
    first, then = answer(before, relation), answer(after, relation)
    assert then["version"] == "v1"

    def granted(content: dict[str, Any]) -> dict[str, str]:
        return {r["request-id"]: r["secret-user"] for r in content["requests"] if r["resource"]}

    assert granted(then) == granted(first)
    assert "status" in then


def test_half_a_character_fails_no_hook() -> None:
    """JSON can hold one, and no encoding can."""
    item = {"resource": "a:*", "request-id": "1", "salt": "s", "mtls-cert": "\ud800"}
    bag = {"version": "v1", "requests": json.dumps([item])}
    relation = testing.Relation("clients", remote_app_data=bag)
    assert answer(run(relation), relation)["requests"][0]["secret-user"]


class CharmThatRemovesRevisions(Charm):
    """As charms had to before the library did it."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        framework.observe(self.on.secret_remove, self._on_secret_remove)

    def _on_secret_remove(self, event: ops.SecretRemoveEvent) -> None:
        event.remove_revision()


@pytest.mark.parametrize("charm", [Charm, CharmThatRemovesRevisions])
@pytest.mark.parametrize(
    ("label", "is_ours"),
    [("clients.7.1234.user.secret", True), ("clients-2.7.1.user.secret", False), ("", False)],
)
def test_a_revision_that_nobody_reads_is_removed(
    charm: type[Charm], label: str, is_ours: bool
) -> None:
    ctx = testing.Context(charm, meta=META)
    secret = testing.Secret({"username": "u"}, owner="app", label=label or None)
    with ctx(
        ctx.on.secret_remove(secret, revision=3), testing.State(leader=True, secrets=[secret])
    ) as manager:
        manager.run()
        assert manager.charm.removed == ([(label, 3)] if is_ours else [])
    expected = [3] if is_ours or charm is not Charm else []
    assert sorted(set(ctx.removed_secret_revisions)) == expected
