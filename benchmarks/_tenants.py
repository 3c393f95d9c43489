"""Requirers that run no charm, so that a model can hold a thousand of them.

Each is an application with one unit whose machine is gone. What it would have written stands
in its databag, and the hooks of the provider that it would have caused count as run or as due.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from _charms import settle

from localjuju import Juju, SimulatedApp

ENDPOINT = "valkey-client"


def v1_bag(prefixes: Sequence[str]) -> dict[str, str]:
    """What a v1 requirer asks with."""
    requests: list[dict[str, str]] = []
    for prefix in prefixes:
        salt = hashlib.sha256(prefix.encode()).hexdigest()[:16]
        identifier = hashlib.sha256(f"{prefix}:{salt}".encode()).hexdigest()[:16]
        requests.append({"resource": prefix, "request-id": identifier, "salt": salt})
    return {"version": "v1", "requests": json.dumps(requests)}


def v0_bag(prefix: str) -> dict[str, str]:
    """What a v0 requirer asks with."""
    secrets = json.dumps(["username", "password", "tls", "tls-ca"])
    return {"database": prefix, "requested-secrets": secrets}


@dataclass(frozen=True)
class Tenant:
    """A requirer and its relation.

    Attributes:
        app: Its application.
        relation: The id of the relation.
    """

    app: SimulatedApp
    relation: int


class Tenants:
    """The requirers of one provider.

    Args:
        juju: The model.
        provider: The provider's application, deployed.
    """

    def __init__(self, juju: Juju, provider: str):
        self._juju = juju
        self._provider = provider
        self._count = 0

    def add(self, bag: Mapping[str, str], *, seen: bool = False) -> Tenant:
        """Add a requirer that asks with this databag.

        Args:
            bag: Its application databag.
            seen: Whether the provider's units have run their hooks about it; else those that
                follow relation-created are due.
        """
        app = self._juju.simulate(f"tenant{self._count}", "valkey", "valkey_client", "requires")
        self._count += 1
        relation = app.integrate(
            f"{self._provider}:{ENDPOINT}", bag, seen="everything" if seen else "created"
        )
        return Tenant(app, relation)

    def ask(self, tenant: Tenant, bag: Mapping[str, str]) -> None:
        """Let a requirer ask for something else."""
        self._juju.set_databag(tenant.relation, tenant.app.name, bag)

    def touch(self, tenant: Tenant) -> None:
        """Let a requirer's unit write something that says nothing."""
        relation, unit = tenant.relation, tenant.app.unit
        databag = self._juju.databag(relation, unit)
        note = str(int(databag.get("note", "1")) + 1)
        self._juju.set_databag(relation, unit, {**databag, "note": note})

    def leave(self, tenant: Tenant) -> None:
        """Remove a relation."""
        tenant.app.remove_relation(tenant.relation)

    def serve_all(self) -> None:
        """Let the provider's leader look at every relation, and wait until it has."""
        self._juju.set_leader(self._juju.leader(self._provider))  # it runs leader-elected again
        settle(self._juju)
