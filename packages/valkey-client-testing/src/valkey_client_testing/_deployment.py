"""The operator in a local model, and the access of applications to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jubilant

from localjuju import Juju
from valkey_client import Access, client
from valkey_client.databag import read_access, read_responses

from .charms import OPERATOR

if TYPE_CHECKING:
    import valkey

ENDPOINT = "valkey-client"


class NoAccessError(LookupError):
    """An application has no access."""


@dataclass(frozen=True)
class Valkey:
    """A Valkey provider in a model.

    Attributes:
        juju: The model.
        app: The name of its application.
        endpoint: Its endpoint for clients.
    """

    juju: Juju
    app: str = "valkey"
    endpoint: str = ENDPOINT

    @classmethod
    def deploy(cls, juju: Juju, *, app: str = "valkey", units: int = 1) -> Valkey:
        """Deploy the operator and wait until it is active.

        Args:
            juju: The model; its hooks must find ``valkey-server`` on their PATH.
            app: The name of its application.
            units: How many; a failover needs three.
        """
        juju.deploy(OPERATOR, app, num_units=units)
        juju.wait(lambda status: jubilant.all_active(status, app), timeout=180)
        return cls(juju, app)

    def access(self, app: str, prefix: str = "") -> Access:
        """The access of an application, as its charm reads it.

        Args:
            app: The application.
            prefix: The prefix of one of several requests; the first request if empty.

        Raises:
            NoAccessError: If it has none, or none for that prefix.
        """
        relation = self.juju.relation_id(self.app, self.endpoint, app)
        for response in read_responses(self.juju.databag(relation, self.app)).responses:
            if response.is_granted and prefix in {"", response.resource}:
                user = self._secret(response.secret_user)
                tls = self._secret(response.secret_tls) if response.secret_tls else {}
                if access := read_access(response.resource, response, user, tls):
                    return access
        raise NoAccessError(f"{app} has no access to {prefix or 'any prefix'} from {self.app}")

    def connect(self, app: str, prefix: str = "", **options: Any) -> valkey.Valkey:
        """A client with the account of an application. It decodes responses by default.

        Args:
            app: The application.
            prefix: The prefix of one of several requests; the first request if empty.
            options: Options of :func:`valkey_client.client.connect`.
        """
        options.setdefault("decode_responses", True)
        return client.connect(self.access(app, prefix), **options)

    def _secret(self, uri: str) -> dict[str, str]:
        return dict(self.juju.show_secret(uri, reveal=True).content)
