from __future__ import annotations

import dataclasses
import json
from typing import Any

import ops
import pytest
from ops import testing

from valkey_client import (
    AccessChangedEvent,
    AccessGoneEvent,
    AccessReadyEvent,
    AccessRejectedEvent,
    PrefixError,
    RequestError,
    SecretsUnsupportedError,
    ValkeyRequirer,
)
from valkey_client.messages import request_id

META = {"name": "app", "requires": {"valkey": {"interface": "valkey_client"}}}


class Charm(ops.CharmBase):
    prefix: Any = "a:*"
    wire: Any = "v1"

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.valkey = ValkeyRequirer(self, "valkey", self.prefix, wire=self.wire)
        framework.observe(self.on.collect_unit_status, self._on_status)

    def _on_status(self, event: ops.CollectStatusEvent) -> None:
        event.add_status(self.valkey.status)


class V0Charm(Charm):
    wire = "v0"


MODEL = testing.Model(uuid="9a1c5a0a-5d0e-4a44-8f5e-5f9f5f0e2b11")


def model(**parts: Any) -> testing.State:
    """One and the same model: ids of requests depend on it."""
    return testing.State(model=MODEL, **parts)


def context(charm: type[Charm] = Charm, **options: Any) -> testing.Context[Charm]:
    return testing.Context(charm, meta=META, **options)


def ours(ctx: testing.Context[Charm]) -> list[Any]:
    kinds = (AccessReadyEvent, AccessChangedEvent, AccessGoneEvent, AccessRejectedEvent)
    return [e for e in ctx.emitted_events if isinstance(e, kinds)]


def ask(charm: type[Charm] = Charm) -> testing.Relation:
    ctx = context(charm)
    relation = testing.Relation("valkey")
    state = model(leader=True, relations=[relation])
    return ctx.run(ctx.on.relation_created(relation), state).get_relation(relation.id)


def answered(relation: testing.Relation, **fields: str) -> tuple[testing.Relation, list[Any]]:
    request = json.loads(relation.local_app_data["requests"])[0]
    user = testing.Secret({"username": "u", "password": "p"}, label=None)
    tls = testing.Secret({"tls": "true", "tls-ca": "PEM"}, label=None)
    response = {
        **request,
        "endpoints": "h1:6379",
        "sentinel-endpoints": "h1:26379",
        "version": "9.1.2",
        "mode": "sentinel",
        "secret-user": user.id,
        "secret-tls": tls.id,
        **fields,
    }
    bag = {"version": "v1", "requests": json.dumps([response]), "data": "{}"}
    return dataclasses.replace(relation, remote_app_data=bag), [user, tls]


def test_the_leader_asks_as_the_field_does() -> None:
    bag = ask().local_app_data
    (request,) = json.loads(bag["requests"])
    assert bag["version"] == "v1"
    assert request["resource"] == "a:*"
    assert len(request["salt"]) == 16 and request["salt"].isalnum()
    assert request["request-id"] == request_id("a:*", request["salt"])
    assert json.loads(bag["requested-secrets"]) == ["username", "password", "tls", "tls-ca"]
    assert bag["prefix"] == "a:*"


def test_in_v0_the_leader_repeats_itself_in_its_unit_databag() -> None:
    relation = ask(V0Charm)
    assert relation.local_app_data["database"] == "a:*"
    secrets = '["username", "password", "tls", "tls-ca"]'
    assert relation.local_unit_data["requested-secrets"] == secrets


def test_a_follower_does_not_ask() -> None:
    ctx = context()
    relation = testing.Relation("valkey")
    state = ctx.run(ctx.on.relation_created(relation), model(relations=[relation]))
    assert state.get_relation(relation.id).local_app_data == {}


@pytest.mark.parametrize("occasion", ["leader_elected", "upgrade_charm", "config_changed"])
def test_a_new_leader_asks_and_an_old_one_does_not_repeat(occasion: str) -> None:
    relation = testing.Relation("valkey")
    ctx = context()
    event = getattr(ctx.on, occasion)()
    state = ctx.run(event, model(leader=True, relations=[relation]))
    asked = state.get_relation(relation.id).local_app_data
    assert asked["version"] == "v1"
    assert ctx.run(event, state).get_relation(relation.id).local_app_data == asked


def test_every_change_is_one_event() -> None:
    relation, secrets = answered(ask())
    ctx = context()
    state = model(leader=True, relations=[relation], secrets=secrets)
    state = ctx.run(ctx.on.relation_changed(relation), state)
    assert [type(e) for e in ours(ctx)] == [AccessReadyEvent]
    assert isinstance(state.unit_status, ops.ActiveStatus)
    for field, value in (
        ("endpoints", "h2:6379"),
        ("read-only-endpoints", "h1:6379"),
        ("sentinel-endpoints", "h2:26379"),
        ("version", "9.1.3"),
        ("primary-name", "other"),
        ("mode", "sentinel2"),
    ):
        ctx = context()
        (response,) = json.loads(state.get_relation(relation.id).remote_app_data["requests"])
        response[field] = value
        bag = {"version": "v1", "requests": json.dumps([response]), "data": "{}"}
        changed = dataclasses.replace(state.get_relation(relation.id), remote_app_data=bag)
        state = dataclasses.replace(state, relations=[changed])
        state = ctx.run(ctx.on.relation_changed(changed), state)
        (event,) = ours(ctx)
        assert isinstance(event, AccessChangedEvent)
        assert event.fields == {field}
        again = context()
        again.run(again.on.relation_changed(state.get_relation(relation.id)), state)
        assert ours(again) == []


def test_the_access_holds_everything() -> None:
    relation, secrets = answered(ask())
    ctx = context()
    with ctx(
        ctx.on.relation_changed(relation),
        model(relations=[relation], secrets=secrets),
    ) as manager:
        access = manager.charm.valkey.access
    assert access is not None
    assert (access.username, access.password) == ("u", "p")
    assert [str(e) for e in access.endpoints] == ["h1:6379"]
    assert (access.tls, access.tls_ca, access.primary_name) == (True, "PEM", "primary")
    assert "'p'" not in repr(access) and "PEM" not in repr(access)


def test_a_new_password_is_one_event_and_is_read() -> None:
    relation, (user, tls) = answered(ask())
    request = json.loads(relation.local_app_data["requests"])[0]["request-id"]
    user = dataclasses.replace(
        user,
        label=f"valkey.{relation.id}.{request}.user.secret",
        latest_content={"username": "u", "password": "new"},
    )
    ctx = context()
    state = model(relations=[relation], secrets=[user, tls])
    with ctx(ctx.on.secret_changed(user), state) as manager:
        manager.run()
        access = manager.charm.valkey.access
    (event,) = ours(ctx)
    assert event.fields == {"password"}
    assert access is not None and access.password == "new"


def test_a_certificate_is_kept_until_it_changes() -> None:
    relation, secrets = answered(ask())
    ctx = context()
    before = ctx.run(
        ctx.on.relation_changed(relation),
        model(leader=True, relations=[relation], secrets=secrets),
    )
    user, tls = (before.get_secret(id=secret.id) for secret in secrets)

    other = testing.Secret({"tls": "true", "tls-ca": "OTHER"}, label=None)
    bag = dict(relation.remote_app_data)
    bag["requests"] = bag["requests"].replace(tls.id, other.id)
    moved = dataclasses.replace(before.get_relation(relation.id), remote_app_data=bag)
    state = dataclasses.replace(before, relations=[moved], secrets=[user, other])
    with ctx(ctx.on.relation_changed(moved), state) as manager:
        manager.run()
        access = manager.charm.valkey.access
    assert access is not None and access.tls_ca == "OTHER"

    renewed = dataclasses.replace(tls, latest_content={"tls": "true", "tls-ca": "NEW"})
    state = dataclasses.replace(before, secrets=[user, renewed])
    with ctx(ctx.on.secret_changed(renewed), state) as manager:
        manager.run()
        access = manager.charm.valkey.access
    assert access is not None and access.tls_ca == "NEW"


@pytest.mark.parametrize("label", [None, "other", "valkey.999.x.user.secret", "a.b.c.d.secret"])
def test_foreign_secrets_are_left_alone(label: str | None) -> None:
    relation, secrets = answered(ask())
    foreign = testing.Secret({"key": "value"}, label=label)
    ctx = context()
    state = model(relations=[relation], secrets=[*secrets, foreign])
    ctx.run(ctx.on.secret_changed(foreign), state)
    assert ours(ctx) == []


def test_the_end_is_one_event() -> None:
    relation, secrets = answered(ask())
    ctx = context()
    state = model(leader=True, relations=[relation], secrets=secrets)
    state = ctx.run(ctx.on.relation_changed(relation), state)
    ctx = context()
    state = ctx.run(ctx.on.relation_broken(state.get_relation(relation.id)), state)
    assert [type(e) for e in ours(ctx)] == [AccessGoneEvent]
    assert isinstance(state.unit_status, ops.BlockedStatus)


def test_a_refusal_is_one_event_and_a_status() -> None:
    relation = ask()
    status = {"code": 5002, "message": "prefix refused", "resolution": "Ask for another."}
    bag = {"version": "v1", "requests": "[]", "status": json.dumps([status])}
    refused = dataclasses.replace(relation, remote_app_data=bag)
    ctx = context()
    state = ctx.run(ctx.on.relation_changed(refused), model(relations=[refused]))
    (event,) = ours(ctx)
    assert isinstance(event, AccessRejectedEvent)
    assert event.status is not None and event.status.code == 5002
    assert event.prefix == "a:*"
    assert state.unit_status == ops.BlockedStatus("valkey: prefix refused. Ask for another.")
    ctx = context()
    ctx.run(ctx.on.relation_changed(state.get_relation(refused.id)), state)
    assert ours(ctx) == []


@pytest.mark.parametrize(
    "bag",
    [
        {"version": "v1", "requests": "garbage"},
        {"version": "v1", "requests": "[null, 5, {}]", "data": "[", "status": "{"},
        {"version": "v1", "requests": '[{"request-id": 7}]', "status": '[{"code": "x"}]'},
        {"endpoints": ",,,", "secret-user": "nonsense"},
        {"secret-user": "secret:unknown", "endpoints": "h:1", "resource": "a:*"},
        {"endpoints": "h:" + "9" * 5001, "secret-user": "secret:x"},
        {"secret-user": "secret:\0", "endpoints": "h:1", "resource": "a:*"},
        {"secret-user": "secret:\ud800", "endpoints": "h:1", "resource": "a:*"},
        {"status": '[{"code": 4001, "message": "\\u0000 \\ud800"}]'},
        {"status": json.dumps([{"code": 4001, "message": "x" * 200_000}])},
    ],
)
def test_a_hostile_provider_changes_nothing(bag: dict[str, str]) -> None:
    relation = dataclasses.replace(ask(), remote_app_data=bag)
    ctx = context()
    with ctx(ctx.on.relation_changed(relation), model(relations=[relation])) as manager:
        manager.run()
        assert manager.charm.valkey.access is None
    assert ours(ctx) == []


def test_what_cannot_be_asked_is_said_at_once() -> None:
    def fails(charm: type[Charm], error: type[Exception], **options: Any) -> None:
        ctx = context(charm, **options)
        with pytest.raises(testing.errors.UncaughtCharmError) as caught:
            ctx.run(ctx.on.start(), model())
        assert isinstance(caught.value.__cause__, error)

    fails(type("Bad", (Charm,), {"prefix": "a b"}), PrefixError)
    fails(type("None_", (Charm,), {"prefix": ()}), RequestError)
    fails(type("Twice", (Charm,), {"prefix": ("a:*", "a:*")}), RequestError)
    fails(type("Two", (Charm,), {"prefix": ("a:*", "b:*"), "wire": "v0"}), RequestError)
    fails(Charm, SecretsUnsupportedError, juju_version="2.9.49")


def test_a_prefix_that_is_no_longer_asked_for_is_gone_at_once() -> None:
    relation, secrets = answered(ask())
    ctx = context()
    state = model(leader=True, relations=[relation], secrets=secrets)
    state = ctx.run(ctx.on.relation_changed(relation), state)
    other = context(type("Charm", (Charm,), {"prefix": "b:*"}))
    state = other.run(other.on.relation_changed(state.get_relation(relation.id)), state)
    assert [(type(e), e.prefix) for e in ours(other)] == [(AccessGoneEvent, "a:*")]
    other = context(type("Charm", (Charm,), {"prefix": "b:*"}))
    other.run(other.on.relation_broken(state.get_relation(relation.id)), state)
    assert ours(other) == []


def test_ready_waits_until_the_secrets_can_be_read() -> None:
    relation, secrets = answered(ask())
    ctx = context()
    state = ctx.run(ctx.on.relation_changed(relation), model(relations=[relation]))
    assert ours(ctx) == []
    ctx = context()
    ctx.run(ctx.on.update_status(), dataclasses.replace(state, secrets=secrets))
    assert [type(e) for e in ours(ctx)] == [AccessReadyEvent]


def test_another_secret_is_told_when_it_can_be_read() -> None:
    relation, secrets = answered(ask())
    ctx = context()
    state = ctx.run(
        ctx.on.relation_changed(relation), model(relations=[relation], secrets=secrets)
    )
    user, tls = (state.get_secret(id=secret.id) for secret in secrets)
    other = testing.Secret({"username": "u", "password": "other"}, label=None)
    bag = dict(relation.remote_app_data)
    bag["requests"] = bag["requests"].replace(user.id, other.id)
    moved = dataclasses.replace(state.get_relation(relation.id), remote_app_data=bag)
    ctx = context()
    state = dataclasses.replace(state, relations=[moved], secrets=[tls])
    state = ctx.run(ctx.on.relation_changed(moved), state)
    assert ours(ctx) == []
    ctx = context()
    with ctx(ctx.on.update_status(), dataclasses.replace(state, secrets=[tls, other])) as manager:
        manager.run()
        access = manager.charm.valkey.access
    (event,) = ours(ctx)
    assert event.fields == {"password"}
    assert access is not None and access.password == "other"


def test_a_provider_that_does_not_say_what_it_answers_is_understood() -> None:
    """A v0 requirer needs ``secret-user`` only; a new CA reaches it all the same."""
    user = testing.Secret({"username": "u", "password": "p"}, label=None)
    tls = testing.Secret({"tls": "true", "tls-ca": "OLD"}, label=None)
    bag = {"endpoints": "h:1", "secret-user": user.id, "secret-tls": tls.id}
    relation = testing.Relation("valkey", remote_app_data=bag)
    ctx = context(V0Charm)
    state = model(relations=[relation], secrets=[user, tls])
    state = ctx.run(ctx.on.relation_changed(relation), state)
    new = dataclasses.replace(
        state.get_secret(id=tls.id), latest_content={"tls": "true", "tls-ca": "NEW"}
    )
    state = dataclasses.replace(state, secrets=[state.get_secret(id=user.id), new])
    ctx = context(V0Charm)
    with ctx(ctx.on.secret_changed(new), state) as manager:
        manager.run()
        access = manager.charm.valkey.access
    assert access is not None
    assert (access.prefix, access.tls_ca) == ("a:*", "NEW")


def test_what_is_shown_of_hostile_texts_is_harmless() -> None:
    message = "bad\nnews\t\0 \ud800 " + "x" * 1000
    bag = {"status": json.dumps([{"code": 5001, "message": message}])}
    relation = dataclasses.replace(ask(), remote_app_data=bag)
    ctx = context()
    state = ctx.run(ctx.on.relation_changed(relation), model(relations=[relation]))
    shown = state.unit_status.message
    assert shown.isprintable()
    assert len(shown) < 600
    shown.encode()


class ManyCharm(Charm):
    prefix = ("a:*", "b:*", "c:*")


@pytest.mark.parametrize(
    ("message", "prefixes"),
    [("prefix b:* is reserved", ["b:*"]), ("no room", ["b:*", "c:*"])],
    ids=["named", "not named"],
)
def test_a_refusal_names_the_prefixes_that_have_no_access(
    message: str, prefixes: list[str]
) -> None:
    relation, secrets = answered(ask(ManyCharm))
    status = {"code": 5002, "message": message, "resolution": "Ask for another."}
    bag = {**relation.remote_app_data, "status": json.dumps([status])}
    refused = dataclasses.replace(relation, remote_app_data=bag)
    ctx = context(ManyCharm)
    ctx.run(ctx.on.relation_changed(refused), model(relations=[refused], secrets=secrets))
    rejected = [event for event in ours(ctx) if isinstance(event, AccessRejectedEvent)]
    assert [event.prefix for event in rejected] == prefixes


def test_a_refusal_that_concerns_no_request_names_no_prefix() -> None:
    relation, secrets = answered(ask())
    status = {"code": 5006, "message": "too many", "resolution": "Ask for fewer."}
    bag = {**relation.remote_app_data, "status": json.dumps([status])}
    refused = dataclasses.replace(relation, remote_app_data=bag)
    ctx = context()
    ctx.run(ctx.on.relation_changed(refused), model(relations=[refused], secrets=secrets))
    assert [event.prefix for event in ours(ctx)] == ["a:*", ""], "ready, then rejected"


def test_another_account_is_told_with_its_username() -> None:
    """The format changes in place: the account of v0 has another name than that of v1."""
    former = type("Charm", (Charm,), {"wire": "v0"})  # The name is part of what is remembered.
    relation = ask(former)
    user, tls = (testing.Secret({"username": "u", "password": "p"}, label=None),
                 testing.Secret({"tls": "false"}, label=None))  # fmt: skip
    v0 = {"endpoints": "h1:6379", "secret-user": user.id, "secret-tls": tls.id, "version": "9.1.2"}
    ctx = context(former)
    state = model(
        leader=True,
        relations=[dataclasses.replace(relation, remote_app_data={**v0, "resource": "a:*"})],
        secrets=[user, tls],
    )
    state = ctx.run(ctx.on.relation_changed(state.get_relation(relation.id)), state)
    assert [type(event) for event in ours(ctx)] == [AccessReadyEvent]

    ctx = context()
    asked = ctx.run(ctx.on.config_changed(), state).get_relation(relation.id)
    moved, secrets = answered(asked)
    ctx = context()
    ctx.run(
        ctx.on.relation_changed(moved),
        dataclasses.replace(state, relations=[moved], secrets=secrets),
    )
    (event,) = ours(ctx)
    assert isinstance(event, AccessChangedEvent)
    assert {"username", "password", "tls"} <= event.fields


def test_what_an_earlier_release_remembered_makes_no_event() -> None:
    relation, secrets = answered(ask())
    ctx = context()
    state = ctx.run(
        ctx.on.relation_changed(relation), model(relations=[relation], secrets=secrets)
    )
    (stored,) = (s for s in state.stored_states if "accesses" in s.content)
    (seen,) = stored.content["accesses"].values()
    del seen["username"]
    ctx = context()
    ctx.run(ctx.on.relation_changed(state.get_relation(relation.id)), state)
    assert ours(ctx) == []


@pytest.mark.parametrize(("before", "after"), [(V0Charm, Charm), (Charm, V0Charm)])
def test_a_change_of_the_format_is_warned_of(
    before: type[Charm],
    after: type[Charm],
) -> None:
    """Providers in the field read what the other format has left, and fail."""
    relation = ask(before)
    ctx = context(after)
    state = ctx.run(ctx.on.config_changed(), model(leader=True, relations=[relation]))
    warnings = [log.message for log in ctx.juju_log if log.level == "WARNING"]
    assert len(warnings) == 1
    assert "remove the relation and integrate again" in warnings[0]
    ctx = context(after)
    ctx.run(ctx.on.config_changed(), state)
    assert [log for log in ctx.juju_log if log.level == "WARNING"] == []


def test_a_certificate_revision_that_nobody_reads_is_removed() -> None:
    relation = ask()
    label = f"valkey.{relation.id}.1234.mtls.secret"
    secret = testing.Secret({"mtls-cert": "PEM"}, owner="app", label=label)
    ctx = context()
    state = model(leader=True, relations=[relation], secrets=[secret])
    ctx.run(ctx.on.secret_remove(secret, revision=2), state)
    assert ctx.removed_secret_revisions == [2]
