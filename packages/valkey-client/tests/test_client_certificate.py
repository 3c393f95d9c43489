"""A requirer's certificate, from its charm to the provider's."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import ops
import pytest
from ops import testing

from valkey_client import RequestCertificate, RequestError, ValkeyProvider, ValkeyRequirer

FIRST = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
SECOND = "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
HERE = testing.Model(uuid="9a1c5a0a-5d0e-4a44-8f5e-5f9f5f0e2b11")
ELSEWHERE = "0c6f5b7e-1f4e-4a9d-9d3b-6a4f0d8f7c22"


class Requirer(ops.CharmBase):
    text: Any = FIRST

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.valkey = ValkeyRequirer(
            self, "valkey", ["a:*", "b:*"], client_certificate=lambda: self.text
        )


class Provider(ops.CharmBase):
    shown: list[RequestCertificate]

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        Provider.shown = []
        self.clients = ValkeyProvider(self, "clients")
        framework.observe(self.clients.on.changed, self._on_changed)

    def _on_changed(self, event: Any) -> None:
        requests = self.clients.requests_of(event.relation).requests
        Provider.shown += [self.clients.certificate_of(request) for request in requests]


def requirer(text: str = FIRST) -> testing.Context[Requirer]:
    charm = type("Charm", (Requirer,), {"text": text})
    meta = {"name": "app", "requires": {"valkey": {"interface": "valkey_client"}}}
    return testing.Context(charm, meta=meta)


def provider() -> testing.Context[Provider]:
    meta = {"name": "provider", "provides": {"clients": {"interface": "valkey_client"}}}
    return testing.Context(Provider, meta=meta)


def ask(text: str = FIRST) -> tuple[testing.State, testing.Relation]:
    ctx, relation = requirer(text), testing.Relation("valkey")
    state = testing.State(model=HERE, leader=True, relations=[relation])
    state = ctx.run(ctx.on.relation_created(relation), state)
    return state, state.get_relation(relation.id)


def requests(relation: testing.Relation) -> list[dict[str, Any]]:
    return json.loads(relation.local_app_data["requests"])


def test_each_request_names_a_secret_that_is_granted() -> None:
    state, relation = ask()
    secrets = {secret.id: secret for secret in state.secrets}
    for request in requests(relation):
        secret = secrets[request["secret-mtls"]]
        assert secret.tracked_content == {"mtls-cert": FIRST}
        assert secret.label == f"valkey.{relation.id}.{request['request-id']}.mtls.secret"
        assert secret.owner == "app"
        assert list(secret.remote_grants) == [relation.id]
    assert len(secrets) == 2


def test_another_certificate_is_another_revision() -> None:
    state, relation = ask()
    ctx = requirer(SECOND)
    with ctx(ctx.on.update_status(), state) as manager:
        manager.charm.valkey.ask()
        after = manager.run()
    assert requests(after.get_relation(relation.id)) == requests(relation)
    assert {s.latest_content["mtls-cert"] for s in after.secrets} == {SECOND}


def test_a_certificate_is_taken_back() -> None:
    state, relation = ask()
    ctx = requirer("")
    after = ctx.run(ctx.on.config_changed(), state)
    assert all("secret-mtls" not in r for r in requests(after.get_relation(relation.id)))
    assert not list(after.secrets)


def test_it_is_removed_with_the_relation() -> None:
    state, relation = ask()
    ctx = requirer()
    assert not list(ctx.run(ctx.on.relation_broken(relation), state).secrets)


def test_a_leader_that_is_removed_leaves_it_to_the_others() -> None:
    """Its relations break one after the other, although they go on."""
    state, relation = ask()
    # The one way to let ops.testing name this very unit, app/0, as the one that departs.
    relation = dataclasses.replace(relation, remote_app_name="app")
    state = dataclasses.replace(state, relations=[relation])
    ctx = requirer()
    departed = ctx.on.relation_departed(relation, remote_unit=0, departing_unit=0)
    state = ctx.run(departed, state)
    after = ctx.run(ctx.on.relation_broken(state.get_relation(relation.id)), state)
    assert len(list(after.secrets)) == 2


@pytest.mark.parametrize("text", ["nonsense", FIRST + KEY, FIRST * 2000])
def test_what_is_no_certificate_is_not_sent(text: str) -> None:
    ctx, relation = requirer(text), testing.Relation("valkey")
    state = testing.State(model=HERE, leader=True, relations=[relation])
    with (
        ctx(ctx.on.update_status(), state) as manager,
        pytest.raises(RequestError, match="client_certificate"),
    ):
        manager.charm.valkey.ask()


def received(
    relation: testing.Relation, *secrets: testing.Secret, **options: Any
) -> list[RequestCertificate]:
    ctx = provider()
    state = testing.State(
        model=HERE, leader=True, relations=[relation], secrets=list(secrets), **options
    )
    ctx.run(ctx.on.relation_changed(relation), state)
    return Provider.shown


def asking(**fields: Any) -> testing.Relation:
    request = {"resource": "a:*", "request-id": "1", "salt": "s", **fields}
    bag = {"version": "v1", "requests": json.dumps([request])}
    return testing.Relation("clients", remote_app_data=bag)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"mtls-cert": FIRST}, RequestCertificate(FIRST)),
        ({"mtls-cert": "x"}, RequestCertificate("", "it contains no certificate in PEM")),
        ({"other": FIRST}, RequestCertificate("", "it contains no certificate in PEM")),
    ],
)
def test_the_provider_reads_it(content: dict[str, str], expected: RequestCertificate) -> None:
    secret = testing.Secret(content)
    assert received(asking(**{"secret-mtls": secret.id}), secret) == [expected]


def test_the_provider_warns_of_a_private_key() -> None:
    secret = testing.Secret({"mtls-cert": FIRST + KEY})
    (shown,) = received(asking(**{"secret-mtls": secret.id}), secret)
    assert shown.text == ""
    assert "private key" in shown.problem


@pytest.mark.parametrize("field", ["secret:gone", "nonsense", 7, [], {"a": 1}])
def test_a_secret_that_cannot_be_read_is_no_error(field: Any) -> None:
    (shown,) = received(asking(**{"secret-mtls": field}))
    assert shown.text == ""
    assert shown.is_missing == (field == "secret:gone")


def test_a_change_of_the_secret_wakes_the_provider() -> None:
    label = "clients.7.1.mtls.secret.abc"
    secret = testing.Secret(
        {"mtls-cert": FIRST}, latest_content={"mtls-cert": SECOND}, id="secret:abc", label=label
    )
    relation = dataclasses.replace(asking(**{"secret-mtls": "secret:abc"}), id=7)
    ctx = provider()
    state = testing.State(model=HERE, leader=True, relations=[relation], secrets=[secret])
    ctx.run(ctx.on.secret_changed(secret), state)
    assert Provider.shown == [RequestCertificate(SECOND)]


def test_between_models_it_is_sent_encrypted() -> None:
    pytest.importorskip("cryptography")
    theirs = testing.Relation("clients", remote_app_name="remote-1", remote_model_uuid=ELSEWHERE)
    state = testing.State(model=HERE, leader=True, relations=[theirs])
    ctx = provider()
    created = ctx.run(ctx.on.relation_created(theirs), state)
    bag = created.get_relation(theirs.id).local_app_data
    (key,) = created.secrets
    assert bag == {"encryption-secret": key.id}
    assert key.label == f"clients.{theirs.id}.encryption.secret"
    assert list(key.remote_grants) == [theirs.id]

    read = testing.Secret(key.tracked_content, id=key.id)
    ours = testing.Relation("valkey", remote_model_uuid=ELSEWHERE)
    ctx = requirer()
    state = testing.State(model=HERE, leader=True, relations=[ours], secrets=[read])
    before = ctx.run(ctx.on.relation_created(ours), state)
    # The account is asked for at once, the certificate goes as soon as there is a key.
    assert all("mtls-cert" not in r for r in requests(before.get_relation(ours.id)))
    answered = dataclasses.replace(before.get_relation(ours.id), remote_app_data=bag)
    state = dataclasses.replace(before, relations=[answered])
    after = ctx.run(ctx.on.relation_changed(answered), state)
    asked = after.get_relation(ours.id)
    assert asked.local_app_data["encryption-secret"] == key.id
    assert all("secret-mtls" not in r and FIRST not in r["mtls-cert"] for r in requests(asked))
    # Fernet says the same thing differently each time; what is there stays.
    again = ctx.run(ctx.on.config_changed(), after)
    assert again.get_relation(ours.id).local_app_data == asked.local_app_data
    # The other controller does not answer for a moment: what was sent stays.
    away = ctx.run(ctx.on.config_changed(), dataclasses.replace(after, secrets=[]))
    assert away.get_relation(ours.id).local_app_data == asked.local_app_data

    answering = dataclasses.replace(
        created.get_relation(theirs.id), remote_app_data=asked.local_app_data
    )
    assert received(answering, key) == [RequestCertificate(FIRST)] * 2
    forged = asking(**{"mtls-cert": "bm90IGVuY3J5cHRlZA=="})
    forged = dataclasses.replace(forged, id=theirs.id)
    assert "key" in received(forged, key)[0].problem


@pytest.mark.parametrize("content", [None, {"a": "b"}, {"encryption-key": "no key"}])
def test_a_key_that_is_none_keeps_nobody_from_asking(content: dict[str, str] | None) -> None:
    """The account need not wait for the certificate."""
    pytest.importorskip("cryptography")
    bag = {"version": "v1", "encryption-secret": "secret:key"}
    relation = testing.Relation("valkey", remote_app_data=bag, remote_model_uuid=ELSEWHERE)
    secrets = [testing.Secret(content, id="secret:key")] if content else []
    state = testing.State(model=HERE, leader=True, relations=[relation], secrets=secrets)
    ctx = requirer()
    after = ctx.run(ctx.on.relation_changed(relation, remote_unit=0), state)
    assert all("mtls-cert" not in r for r in requests(after.get_relation(relation.id)))
    # No event comes with the key; update-status tries again.
    key = testing.Secret({"encryption-key": "A" * 43 + "="}, id="secret:key")
    later = ctx.run(ctx.on.update_status(), dataclasses.replace(after, secrets=[key]))
    assert all("mtls-cert" in r for r in requests(later.get_relation(relation.id)))
