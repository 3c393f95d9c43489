"""A provider under test, with reference requirers around it."""

from __future__ import annotations

import functools
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localjuju import Juju
from valkey_client import Endpoint
from valkey_client.messages import parse_endpoints
from valkey_client.messages import request_id as make_id

from ..charms import REQUIRER
from .bench import Bench
from .databags import Answer, Asked
from .extras import ASKED
from .results import NotApplicable, need


@dataclass(frozen=True)
class Account:
    """What a response gave, as a client needs it.

    Attributes:
        prefix: What it was given for.
        topology: Endpoints by the field that lists them.
        tls_ca: The CA if TLS is on; empty if it is not.
        tls: Whether TLS is on.
    """

    prefix: str
    username: str
    password: str
    primary: tuple[Endpoint, ...]
    replicas: tuple[Endpoint, ...]
    sentinels: tuple[Endpoint, ...]
    primary_name: str
    tls: bool = False
    tls_ca: str = ""

    @property
    def servers(self) -> tuple[Endpoint, ...]:
        """All data nodes."""
        return (*self.primary, *self.replicas)

    def name(self, rest: str) -> str:
        """A key or channel inside of the prefix."""
        return self.prefix.removesuffix("*") + rest


class Asker:
    """A reference requirer in a relation with the provider under test."""

    def __init__(self, bench: ProviderBench, app: str, bag: Mapping[str, str]):
        self._bench = bench
        self._touched = 0
        self.app = app
        bench.juju.deploy(REQUIRER, app, config={"file": self._file(bag)})
        bench.juju.integrate(f"{bench.subject}:{bench.endpoint}", f"{app}:valkey")
        self.relation = bench.juju.relation_id(app, "valkey")
        bench.settle()

    def _file(self, bag: Mapping[str, str]) -> str:
        self.asked = Asked(bag)
        return self._bench.file({"app": bag, "unit": {"touched": str(self._touched)}})

    def write(self, bag: Mapping[str, str]) -> None:
        """Ask for something else."""
        self._bench.juju.config(self.app, {"file": self._file(bag)})
        self._bench.settle()

    def calm(self) -> None:
        """Ask for nothing, so that a hook that failed can succeed."""
        self._bench.juju.config(self.app, {"file": self._file(v1())})
        self._bench.recover()

    def touch(self) -> None:
        """Wake the provider without a change of what is asked."""
        self._touched += 1
        self.write(self.asked.bag)

    def leave(self) -> None:
        """End the relation."""
        self._bench.juju.remove_relation(
            f"{self._bench.subject}:{self._bench.endpoint}", f"{self.app}:valkey"
        )
        self._bench.settle()

    @property
    def bag(self) -> dict[str, str]:
        """The provider's databag."""
        return self._bench.juju.databag(self.relation, self._bench.subject)

    @property
    def answer(self) -> Answer:
        """The same, with what it answers."""
        return Answer(self.bag, self.asked, self._bench.secret)

    @property
    def reads(self) -> dict[str, str]:
        """What came of attempts to read the secrets that the answer names."""
        return self._bench.reads(f"{self.app}/0")

    def account(self, prefix: str = "") -> Account:
        """What was given for a prefix, or for the first one.

        Raises:
            NotApplicable: If a check of the databag reports that something is missing.
        """
        for response in self.answer.responses:
            if prefix in {"", response.get("resource")}:
                return self._account(response)
        raise NotApplicable(f"there is no response for {prefix or 'the request'}")

    def _account(self, response: Mapping[str, Any]) -> Account:
        user = self.answer.content(response, "secret-user")
        need(user.get("username") and user.get("password"), "secret-user is incomplete")
        uri = response.get("secret-tls")
        tls = (self._bench.secret(uri) if isinstance(uri, str) else None) or {}
        sentinels = response.get("sentinel-endpoints") or response.get("sentinel_endpoints")
        resource = response.get("resource") or self.asked.requests[0]["resource"]
        return Account(
            prefix=str(resource),
            username=user["username"],
            password=user["password"],
            primary=_parse(response.get("endpoints")),
            replicas=_parse(response.get("read-only-endpoints")),
            sentinels=_parse(sentinels),
            primary_name=str(response.get("primary-name") or "primary"),
            tls=tls.get("tls", "").lower() == "true",
            tls_ca=tls.get("tls-ca", ""),
        )


class ProviderBench(Bench):
    """See :class:`Bench`. The requirers that checks share are made when they are first needed."""

    def __init__(
        self,
        juju: Juju,
        charm: Path,
        *,
        units: int,
        config: Mapping[str, str],
        beside: Sequence[Path] = (),
    ):
        super().__init__(juju, charm, role="provides", units=units, config=config, beside=beside)
        self._askers = 0
        self.settle()

    def ask(self, bag: Mapping[str, str]) -> Asker:
        """Relate one more requirer."""
        self._askers += 1
        return Asker(self, f"asker{self._askers}", bag)

    @functools.cached_property
    def v1(self) -> Asker:
        """A v1 requirer that stays."""
        return self.ask(v1(request("kit-one:*")))

    @functools.cached_property
    def v0(self) -> Asker:
        """A v0 requirer that stays."""
        return self.ask(v0("kit-zero:*"))

    @functools.cached_property
    def both(self) -> Asker:
        """A v1 requirer with two requests; one is withdrawn in the end, then the relation ends."""
        return self.ask(v1(request("kit-two:*"), request("kit-three:*")))

    @functools.cached_property
    def wide(self) -> Asker:
        """A v1 requirer that asks for more than its prefixes."""
        return self.ask(v1(*(request(prefix, **more) for prefix, more in ASKED.items())))

    @functools.cached_property
    def topic(self) -> Asker:
        """A v0 requirer with the prefix in ``topic``; its relation ends."""
        return self.ask(v0("kit-topic:*", "topic"))

    @functools.cached_property
    def odd(self) -> Asker:
        """A v1 requirer with fields that nobody knows; its relation ends."""
        fields: dict[str, Any] = {"entity-type": None, "secret-mtls": None, "colour": [1]}
        return self.ask(v1(request("kit-odd:*", **fields)))

    @functools.cached_property
    def bad(self) -> Asker:
        """A requirer that writes what makes no sense."""
        return self.ask(v1())

    @property
    def addresses(self) -> set[str]:
        """Where the units of the provider are."""
        return {self.juju.address(unit) for unit in self.units}

    def served(self, endpoints: tuple[Endpoint, ...], name: str) -> tuple[Endpoint, ...]:
        """The endpoints that lead to a unit of the provider.

        Raises:
            NotApplicable: If there are none: then the provider runs no servers here.
        """
        need(endpoints, f"{name} lists nothing")
        found = tuple(endpoint for endpoint in endpoints if endpoint.host in self.addresses)
        shown = ", ".join(map(str, endpoints))
        need(found, f"{name} is {shown}: the provider runs no such server on this machine")
        return found


def request(resource: str, request_id: str = "", **more: Any) -> dict[str, Any]:
    """A v1 request."""
    salt = secrets.token_hex(8)
    return {
        "resource": resource,
        "request-id": request_id or make_id(resource, salt),
        "salt": salt,
        **more,
    }


def v1(*requests: Any) -> dict[str, str]:
    """The databag of a v1 requirer."""
    return {"version": "v1", "requests": json.dumps(list(requests))}


def v0(prefix: str, alias: str = "database") -> dict[str, str]:
    """The databag of a v0 requirer."""
    secret_keys = json.dumps(["username", "password", "tls", "tls-ca"])
    return {alias: prefix, "requested-secrets": secret_keys}


def _parse(value: object) -> tuple[Endpoint, ...]:
    return parse_endpoints(value) if isinstance(value, str) else ()
