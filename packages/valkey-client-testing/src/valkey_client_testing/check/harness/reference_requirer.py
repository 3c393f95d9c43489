"""A requirer in a relation with the provider under test."""

from __future__ import annotations

from collections.abc import Mapping

from ...charms import REQUIRER
from ..databags import RequestDatabag, ResponseDatabag
from ..results import NotApplicable
from .account import Account
from .base import Harness
from .request_databags import v1_databag


class ReferenceRequirer:
    """The reference requirer charm, related to the charm under test.

    Args:
        harness: The model of the provider under test.
        app: A name for the application.
        databag: What it writes into its databag first.

    Raises:
        Violation: If a hook of the provider fails.
    """

    def __init__(self, harness: Harness, app: str, databag: Mapping[str, str]):
        self._harness = harness
        self._redeliveries = 0
        self.app = app
        harness.juju.deploy(REQUIRER, app, config={"file": self._script(databag)})
        harness.juju.integrate(f"{harness.subject}:{harness.endpoint}", f"{app}:valkey")
        self.relation = harness.juju.relation_id(app, "valkey")
        harness.settle()

    def _script(self, databag: Mapping[str, str]) -> str:
        self.request_databag = RequestDatabag(databag)
        unit = {"redeliveries": str(self._redeliveries)}
        return self._harness.write_script({"app": databag, "unit": unit})

    def write(self, databag: Mapping[str, str]) -> None:
        """Write another databag.

        Raises:
            Violation: If a hook of the provider fails.
        """
        self._harness.juju.config(self.app, {"file": self._script(databag)})
        self._harness.settle()

    def reset(self) -> None:
        """Withdraw every request, so that a hook of the provider that failed can succeed."""
        self._harness.juju.config(self.app, {"file": self._script(v1_databag())})
        self._harness.wait_for_retry()

    def redeliver(self) -> None:
        """Send the provider another relation-changed with the same requests."""
        self._redeliveries += 1
        self.write(self.request_databag.fields)

    def remove_relation(self) -> None:
        """Remove the relation."""
        harness = self._harness
        harness.juju.remove_relation(f"{harness.subject}:{harness.endpoint}", f"{self.app}:valkey")
        harness.settle()

    @property
    def wire(self) -> str:
        """The format of its requests, ``v0`` or ``v1``."""
        return self.request_databag.wire

    @property
    def response_databag(self) -> ResponseDatabag:
        """The provider's databag, with the requests that it answers."""
        fields = self._harness.juju.databag(self.relation, self._harness.subject)
        return ResponseDatabag(fields, self.request_databag, self._harness.secret_content)

    @property
    def secret_reads(self) -> dict[str, str]:
        """The results of its attempts to read the secrets that a response names, by URI."""
        return self._harness.secret_reads(f"{self.app}/0")

    def account(self, prefix: str = "") -> Account:
        """The account for a prefix; that of the first response if it is empty.

        Raises:
            NotApplicable: If a check of the databag reports that something is missing.
        """
        databag = self.response_databag
        for response in databag.responses:
            if prefix in {"", response.get("resource")}:
                return Account.from_response(databag, response)
        raise NotApplicable(f"there is no response for {prefix or 'the request'}")
