"""Valkey as the operator runs it, and applications that were granted access to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import localjuju
from valkey_client import Access, RequestOptions
from valkey_client.databag import v1

from ..conftest import CHARMS, ROOT
from ..operator_model import OPERATOR


class ApplicationTestbed:
    """An operator, and an application for each kind of access that was asked for.

    Args:
        juju: An empty model.
        config: Configuration of the operator.
    """

    def __init__(self, juju: localjuju.Juju, config: Mapping[str, Any]):
        self._juju = juju
        self._granted: dict[tuple[str, RequestOptions], Access] = {}
        # With a replica, so that clients that ask the Sentinels have the choice.
        juju.deploy(ROOT, OPERATOR, num_units=2, config=config)

    def access(self, prefix: str, options: RequestOptions) -> Access:
        """What the operator grants to an application that asks for this."""
        request = (prefix, options)
        if request not in self._granted:
            self._granted[request] = self._grant(f"application{len(self._granted)}", *request)
        return self._granted[request]

    def _grant(self, application: str, prefix: str, options: RequestOptions) -> Access:
        juju = self._juju
        config = {"prefix": prefix, "options": json.dumps(asdict(options))}
        juju.deploy(CHARMS / "scripted_requirer", application, config=config)
        juju.integrate(OPERATOR, application)
        juju.settle()
        bag = juju.databag(juju.relation_id(application, "valkey"), OPERATOR)
        (response,) = v1.read_responses(bag).responses
        assert response.options == options, bag
        user = juju.show_secret(response.secret_user, reveal=True).content
        return Access(
            prefix=response.resource,
            username=user["username"],
            password=user["password"],
            topology=response.topology,
            database=response.database,
            options=response.options,
        )
