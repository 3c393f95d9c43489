"""What a requirer's leader calls in each situation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import _charms
from _calls import Recorder
from _tenants import ENDPOINT

from localjuju import Juju
from localjuju.charm import CharmSpec
from localjuju.state import (
    Application,
    Relation,
    RelationEnd,
    Secret,
    SecretRevision,
    Unit,
    new_secret_id,
)
from valkey_client import Topology
from valkey_client.databag import Responses, read_requests, write_responses
from valkey_client.messages import Response, parse_endpoints

APP = "requirer"
PROVIDER = "provider"

SUBJECTS: Mapping[str, Path] = {
    _charms.FLOOR: _charms.EMPTY,
    _charms.FIELD: _charms.FIELD_REQUIRER,
    _charms.OURS: _charms.REQUIRER,
}


def count(charm: Path) -> Iterator[tuple[str, int]]:
    """Every situation in words, with how much its hook called."""
    with _charms.model() as juju:
        _charms.deploy(juju, charm, APP)
        provider = _Provider(juju)
        recorder = Recorder(juju)

        def only(kind: str) -> int:
            _charms.settle(juju)
            (hook,) = (h for h in recorder.take() if h.kind == kind and not h.remote_unit)
            return hook.total

        provider.relate()
        yield "created", only("relation-created")
        provider.answer("10.0.0.1:6379")
        yield "first response", only("relation-changed")
        provider.touch()
        yield "nothing new", only("relation-changed")
        provider.answer("10.0.0.2:6379")
        yield "endpoints", only("relation-changed")
        provider.rotate()
        _charms.settle(juju)
        # A charm that has read no secret is told of none.
        hooks = [hook for hook in recorder.take() if hook.kind == "secret-changed"]
        yield "secret-changed", hooks[0].total if hooks else 1


class _Provider:
    """A provider that runs no charm: what it would have written stands in the model."""

    def __init__(self, juju: Juju):
        self._juju = juju
        self._model = juju.engine.model
        spec = CharmSpec.load(_charms.EMPTY, juju.directory / "unused")
        unit = Unit(f"{PROVIDER}/0", "198.51.100.1", "", lost=True)
        self._model.applications[PROVIDER] = Application(
            PROVIDER, spec, units={unit.name: unit}, leader=unit.name
        )
        self._relation = Relation(
            self._model.next_relation,
            "valkey_client",
            (RelationEnd(PROVIDER, ENDPOINT), RelationEnd(APP, "valkey")),
            unit_data={unit.name: {"ingress-address": unit.address}},
            unit_version={unit.name: 1},
            in_scope={unit.name},
        )
        content = {"username": "relation-1", "password": "hunter2"}
        self._user = self._secret(content)
        self._tls = self._secret({"tls": "false"})

    def _secret(self, content: dict[str, str]) -> Secret:
        secret = Secret(
            new_secret_id(),
            PROVIDER,
            revisions={1: SecretRevision(content)},
            latest=1,
            grants={APP: self._relation.id},
        )
        self._model.secrets[secret.id] = secret
        return secret

    def relate(self) -> None:
        """Make the relation."""
        with self._juju.engine.lock:
            self._model.relations[self._relation.id] = self._relation
            self._model.next_relation += 1
            self._juju.engine.changed.notify_all()

    def answer(self, endpoints: str) -> None:
        """Answer what was asked, which in the floor's case is nothing."""
        with self._juju.engine.lock:
            asked = read_requests(self._relation.app_data.get(APP, {})).requests
            topology = Topology(
                parse_endpoints(endpoints), parse_endpoints("10.0.0.9:6379"), version="9.1.2"
            )
            responses = [
                Response(
                    str(request.prefix),
                    request.request_id,
                    request.salt,
                    topology,
                    self._user.uri,
                    self._tls.uri,
                )
                for request in asked
            ]
            old = self._relation.app_data.get(PROVIDER, {})
            bag = write_responses("v1", Responses("v1", tuple(responses)), old)
            self._write({**old, **bag})

    def touch(self) -> None:
        """Write something that says nothing."""
        with self._juju.engine.lock:
            self._write({**self._relation.app_data[PROVIDER], "note": "nothing"})

    def _write(self, bag: Mapping[str, str]) -> None:
        versions = self._relation.app_version
        self._relation.app_data[PROVIDER] = dict(bag)
        versions[PROVIDER] = versions.get(PROVIDER, 0) + 1
        self._juju.engine.changed.notify_all()

    def rotate(self) -> None:
        """Change the password."""
        with self._juju.engine.lock:
            content = {**self._user.revisions[1].content, "password": "hunter3"}
            self._user.revisions[2] = SecretRevision(content)
            self._user.latest = 2
            self._juju.engine.changed.notify_all()
