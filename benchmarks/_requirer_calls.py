"""What a requirer's leader calls in each situation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import _charms
from _calls import Recorder
from _tenants import ENDPOINT

from localjuju import Juju
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
        self._app = juju.simulate(PROVIDER, ENDPOINT, "valkey_client", "provides")
        self._relation = -1
        self._user = ""
        self._tls = ""

    def relate(self) -> None:
        """Make the relation."""
        self._relation = self._app.integrate(f"{APP}:valkey")
        self._user = self._app.add_secret(_user("hunter2"), self._relation)
        self._tls = self._app.add_secret({"tls": "false"}, self._relation)

    def answer(self, endpoints: str) -> None:
        """Answer what was asked, which in the floor's case is nothing."""
        requests = read_requests(self._juju.databag(self._relation, APP)).requests
        topology = Topology(
            parse_endpoints(endpoints), parse_endpoints("10.0.0.9:6379"), version="9.1.2"
        )
        responses = [
            Response(
                str(request.prefix),
                request.request_id,
                request.salt,
                topology,
                self._user,
                self._tls,
            )
            for request in requests
        ]
        old = self._juju.databag(self._relation, PROVIDER)
        new = write_responses("v1", Responses("v1", tuple(responses)), old)
        self._juju.set_databag(self._relation, PROVIDER, {**old, **new})

    def touch(self) -> None:
        """Write something that says nothing."""
        databag = self._juju.databag(self._relation, PROVIDER)
        self._juju.set_databag(self._relation, PROVIDER, {**databag, "note": "nothing"})

    def rotate(self) -> None:
        """Change the password."""
        self._app.set_secret(self._user, _user("hunter3"))


def _user(password: str) -> dict[str, str]:
    return {"username": "relation-1", "password": password}
