"""A requirer under test, with a reference provider and real servers."""

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

from ...charms import PROVIDER
from ..databags import RequestDatabag
from ..results import NotApplicable, Violation, require
from .base import Harness
from .reference_servers import ReferenceServers

_SECRETS = ["user", "tls", "withheld"]


class RequirerHarness(Harness):
    """See :class:`Harness`. The provider is integrated and has written nothing yet.

    Args:
        servers: The servers behind the reference provider.
        action: An action of the charm that uses Valkey; empty if there is none.

    Attributes:
        first_failure: The first hook that failed before the provider wrote anything, or empty.
        is_relation_removed: Whether a check has removed the relation and every hook succeeded.
    """

    provider = "provider"

    def __init__(
        self,
        juju: Juju,
        charm: Path,
        servers: ReferenceServers,
        *,
        units: int,
        config: Mapping[str, str],
        action: str = "",
    ):
        super().__init__(juju, charm, role="requires", units=units, config=config)
        self.servers = servers
        self.charm = charm
        self.action = action
        self.password = secrets.token_hex(16)
        self._uses_valkey: bool | None = None
        self.is_relation_removed = False
        juju.deploy(PROVIDER, self.provider)
        self.settle()
        self.first_failure = ""
        juju.integrate(f"{self.subject}:{self.endpoint}", f"{self.provider}:clients")
        self.relation = juju.relation_id(self.subject, self.endpoint)
        try:
            self.settle()
        except Violation as violation:
            self.first_failure = str(violation)

    @property
    def request_databag(self) -> RequestDatabag:
        """The requirer's databag."""
        return RequestDatabag(self.juju.databag(self.relation, self.subject))

    @property
    def username(self) -> str:
        """The name of the requirer's account."""
        return f"relation-{self.relation}"

    # What the provider does.

    def grant_access(self) -> None:
        """Answer every request, and wait until hooks that failed have been retried.

        Raises:
            NotApplicable: If the requests cannot be read.
        """
        self.publish(self.responses())
        self.wait_for_retry()

    def responses(self, **changes: str) -> list[dict[str, Any]]:
        """A valid response to each request, except for the fields in ``changes``.

        Raises:
            NotApplicable: If the requests cannot be read.
        """
        requests = [r for r in self.request_databag.requests if isinstance(r.get("resource"), str)]
        require(requests, "there is no request that could be answered")
        prefix = str(requests[0]["resource"])
        self.servers.set_account(self.username, self.password, prefix)
        topology = self.servers.topology
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
        """Write responses in the format of the requests."""
        self.write(self.provider_databag(responses), tls=tls)

    def provider_databag(self, responses: list[dict[str, Any]]) -> dict[str, str]:
        """Responses in the format of the requests."""
        if self.request_databag.wire == "v1":
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
        databag: Mapping[str, str],
        *,
        tls: Mapping[str, str] | None = None,
        withheld: bool = False,
    ) -> None:
        """Write the provider's databag.

        Args:
            databag: The databag; ``{user}``, ``{tls}`` and ``{withheld}`` in it stand for URIs.
            tls: The content of the TLS secret; TLS is off if None.
            withheld: Whether to make the secret ``{withheld}``, which is not granted.
        """
        user = {"username": self.username, "password": self.password}
        contents: dict[str, Any] = {"user": user, "tls": tls or {"tls": "false"}}
        named = {k: content for k, content in contents.items() if f"{{{k}}}" in str(databag)}
        if withheld:
            named["withheld"] = user
        script = {"app": databag, "secrets": named, "withheld": ["withheld"], "known": _SECRETS}
        self.juju.config(self.provider, {"file": self.write_script(script)})

    def rotate_password(self) -> None:
        """Change the account's password; the old one stops working at once."""
        self.password = secrets.token_hex(16)
        self.publish(self.responses())

    # What the requirer does.

    def secret_revisions(self, label: str) -> tuple[int, dict[str, int]]:
        """The latest revision of a secret, and the revision that each unit has read.

        Raises:
            NotApplicable: If there is no such secret.
        """
        snapshot = self.juju.snapshot()
        secret = snapshot.secret(label)
        if secret is None:
            raise NotApplicable(f"there is no secret {label}")
        units = {unit.name for unit in snapshot.units(self.subject)}
        tracked = {unit: revision for unit, revision in secret.tracked.items() if unit in units}
        return secret.revision, tracked

    def count_commands(self) -> dict[str, int]:
        """Run the action, and count the commands that each server executes, by endpoint."""
        self.servers.reset_command_counts()
        if self.action:
            with contextlib.suppress(jubilant.TaskError, jubilant.CLIError):
                self.juju.run(f"{self.subject}/0", self.action, wait=120)
        self.settle()
        return self.servers.command_counts()

    def require_use(self) -> str:
        """Go on if the charm is known to use Valkey.

        Returns:
            The primary's endpoint.

        Raises:
            NotApplicable: If it has sent no command yet.
        """
        primary = str(self.servers.primary.endpoint)
        if self._uses_valkey is None:
            self._uses_valkey = self.count_commands()[primary] > 0
        require(
            self._uses_valkey, "the charm sent no command; name an action that does with --action"
        )
        return primary
