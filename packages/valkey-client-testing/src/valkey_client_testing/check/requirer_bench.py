"""A requirer under test, with a reference provider and real servers beside it."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jubilant

from localjuju import Juju
from valkey_client.messages import format_endpoints

from ..charms import PROVIDER
from .bench import Bench
from .counterpart import Counterpart
from .databags import Asked
from .results import NotApplicable, Violation, need

_SECRETS = ["user", "tls", "withheld"]


class RequirerBench(Bench):
    """See :class:`Bench`. The provider has been integrated, and has said nothing yet.

    Args:
        counterpart: The servers.
        action: An action of the charm that uses Valkey; none if it is empty.
    """

    provider = "provider"

    def __init__(
        self,
        juju: Juju,
        charm: Path,
        counterpart: Counterpart,
        *,
        units: int,
        config: Mapping[str, str],
        action: str = "",
    ):
        super().__init__(juju, charm, role="requires", units=units, config=config)
        self.counterpart = counterpart
        self.charm = charm
        self.action = action
        self.password = secrets.token_hex(16)
        self._has_used: bool | None = None
        self.has_let_go = False
        juju.deploy(PROVIDER, self.provider)
        self.settle()
        self.first_failure = ""
        self.integrate()
        try:
            self.settle()
        except Violation as failed:
            self.first_failure = str(failed)

    def integrate(self) -> None:
        """Make the relation."""
        one, two = f"{self.subject}:{self.endpoint}", f"{self.provider}:clients"
        self.juju.integrate(one, two)
        self.relation = self.juju.relation_id(self.subject, self.endpoint)

    @property
    def asked(self) -> Asked:
        """What the requirer asks for."""
        return Asked(self.juju.databag(self.relation, self.subject))

    @property
    def username(self) -> str:
        """The account."""
        return f"relation-{self.relation}"

    # What the provider says.

    def grant(self) -> None:
        """Give what was asked for, and let hooks that failed be retried.

        Raises:
            NotApplicable: If what was asked for cannot be understood.
        """
        self.publish(self.response())
        self.recover()

    def response(self, **changes: str) -> list[dict[str, Any]]:
        """A good response to each request, but for some fields."""
        requests = [r for r in self.asked.requests if isinstance(r.get("resource"), str)]
        need(requests, "there is no request that could be answered")
        prefix = str(requests[0]["resource"])
        self.counterpart.grant(self.username, self.password, prefix)
        topology = self.counterpart.topology
        return [
            {
                **{k: request.get(k) for k in ("resource", "request-id", "salt")},
                "endpoints": format_endpoints(topology.endpoints),
                "read-only-endpoints": format_endpoints(topology.read_only_endpoints),
                "sentinel-endpoints": format_endpoints(topology.sentinel_endpoints),
                "version": topology.version,
                "mode": topology.mode,
                "secret-user": "{user}",
                "secret-tls": "{tls}",
                **changes,
            }
            for request in requests
        ]

    def publish(
        self, responses: list[dict[str, Any]], *, tls: Mapping[str, str] | None = None
    ) -> None:
        """Publish responses in the format that the requirer chose."""
        self.write(self.bag(responses), tls=tls)

    def bag(self, responses: list[dict[str, Any]]) -> dict[str, str]:
        """Responses in the format that the requirer chose."""
        if self.asked.wire == "v1":
            data = {str(r.get("request-id")): {"resource": r.get("resource")} for r in responses}
            return {"version": "v1", "requests": json.dumps(responses), "data": json.dumps(data)}
        if not responses:
            return {}
        flat = {key: str(value) for key, value in responses[0].items() if value}
        return {
            **flat,
            "database": flat["resource"],
            "sentinel_endpoints": flat.get("sentinel-endpoints", ""),
        }

    def write(
        self,
        bag: Mapping[str, str],
        *,
        tls: Mapping[str, str] | None = None,
        withheld: bool = False,
    ) -> None:
        """Write a databag, as it is but for the URIs of secrets."""
        user = {"username": self.username, "password": self.password}
        contents: dict[str, Any] = {"user": user, "tls": tls or {"tls": "false"}}
        held = {name: content for name, content in contents.items() if f"{{{name}}}" in str(bag)}
        if withheld:
            held["withheld"] = user
        script = {"app": bag, "secrets": held, "withheld": ["withheld"], "known": _SECRETS}
        self.juju.config(self.provider, {"file": self.file(script)})

    def rotate(self) -> None:
        """Give the account another password."""
        self.password = secrets.token_hex(16)
        self.publish(self.response())

    # What the requirer does.

    def revisions(self, label: str) -> tuple[int, dict[str, int]]:
        """The latest revision of a secret, and the one that each unit has read."""
        snapshot = self.juju.snapshot()
        secret = snapshot.secret(label)
        if secret is None:
            raise NotApplicable(f"the secret {label} is not there")
        units = {unit.name for unit in snapshot.units(self.subject)}
        tracked = {unit: revision for unit, revision in secret.tracked.items() if unit in units}
        return secret.revision, tracked

    def use(self) -> dict[str, int]:
        """Let the charm use Valkey; how many of its commands each server carried out."""
        self.counterpart.forget()
        if self.action:
            with contextlib.suppress(jubilant.TaskError, jubilant.CLIError):
                self.juju.run(f"{self.subject}/0", self.action, wait=120)
        self.settle()
        return self.counterpart.served()

    def uses(self) -> str:
        """Where the primary is, if the charm is known to use Valkey.

        Raises:
            NotApplicable: If it was never seen to.
        """
        primary = str(self.counterpart.primary.endpoint)
        if self._has_used is None:
            self._has_used = self.use()[primary] > 0
        need(self._has_used, "it was not seen to use Valkey; name an action of it with --action")
        return primary
