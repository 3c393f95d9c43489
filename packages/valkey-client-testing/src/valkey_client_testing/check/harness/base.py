"""A model with a charm under test."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import jubilant

from localjuju import CharmError, Juju

from ..results import Violation

SETTLE_TIMEOUT = 180.0
"""Seconds that a model may take to settle on a busy machine."""


class CheckError(RuntimeError):
    """Nothing can be checked; the message says why."""


class Harness:
    """A model, the charm under test in it, and the hooks of that charm that failed.

    Args:
        juju: The model.
        charm: A directory or a ``.charm`` file.
        role: The role of the charm's endpoint: ``provides`` or ``requires``.
        units: How many units to deploy.
        config: The charm's configuration.
        integrate_with: Other charms to deploy and integrate with the charm under test.

    Raises:
        CheckError: If the charm has no such endpoint, or a charm cannot be deployed.
    """

    subject = "subject"

    def __init__(
        self,
        juju: Juju,
        charm: Path,
        *,
        role: str,
        units: int,
        config: Mapping[str, str],
        integrate_with: Sequence[Path] = (),
    ):
        self.juju = juju
        self._files = 0
        try:
            juju.deploy(charm, self.subject, num_units=units, config=dict(config))
        except (CharmError, jubilant.CLIError) as error:
            raise CheckError(f"{charm} cannot be deployed: {_reason(error)}") from None
        all_endpoints = juju.snapshot().application(self.subject).endpoints.values()
        endpoints = [e for e in all_endpoints if (e.interface, e.role) == ("valkey_client", role)]
        if not endpoints:
            raise CheckError(f"{charm} {role} no endpoint with the interface valkey_client")
        self.endpoint = endpoints[0].name
        for number, other in enumerate(integrate_with):
            self._integrate_with(other, f"integrated{number}")

    def _integrate_with(self, charm: Path, app: str) -> None:
        """Deploy another charm and integrate the charm under test with it."""
        try:
            self.juju.deploy(charm, app)
            self.juju.integrate(self.subject, app)
        except (CharmError, jubilant.CLIError) as error:
            raise CheckError(f"{charm} cannot be integrated: {_reason(error)}") from None

    @property
    def units(self) -> list[str]:
        """The units of the charm under test."""
        return [unit.name for unit in self.juju.units(self.subject)]

    @property
    def leader(self) -> str:
        """The leader of these units."""
        return self.juju.leader(self.subject)

    def hook_failures(self) -> list[str]:
        """The hooks of the charm under test that failed so far, the oldest first."""
        hooks = [e for e in self.juju.timeline.entries("hook") if e.subject in self.units]
        return [f"{e.subject}: {e.text}" for e in hooks if " failed: " in e.text]

    def settle(self) -> None:
        """Wait until no unit has anything left to do.

        Raises:
            Violation: If a hook of the charm under test fails, or the model does not settle
                within :data:`SETTLE_TIMEOUT`.
        """
        deadline = time.monotonic() + SETTLE_TIMEOUT
        before = len(self.hook_failures())
        while True:
            try:
                self.juju.settle(1.0)
            except TimeoutError as error:
                failures = self.hook_failures()[before:]
                if failures and self._units_in_error():
                    raise Violation(failures[-1]) from None
                if time.monotonic() > deadline:
                    raise Violation(f"the model does not settle: {error}") from None
            else:
                return

    def _units_in_error(self) -> list[str]:
        return [unit.name for unit in self.juju.units(self.subject) if unit.failed]

    def resolve_failed_hooks(self) -> None:
        """Skip hooks that fail, as ``juju resolve --no-retry`` does, until none is left."""
        while units := self._units_in_error():
            for unit in units:
                self.juju.cli("resolve", "--no-retry", unit)
            try:
                self.settle()
            except Violation:
                continue

    def wait_for_retry(self) -> None:
        """Wait until a hook that failed has succeeded on a retry.

        Raises:
            TimeoutError: If it does not within :data:`SETTLE_TIMEOUT`.
        """
        self.juju.settle(SETTLE_TIMEOUT)

    def write_script(self, content: object) -> str:
        """Write a JSON file for a reference charm to read.

        Returns:
            Its path, a new one each time, so that setting it is a change of configuration.
        """
        self._files += 1
        path = self.juju.directory / f"script-{self._files}.json"
        path.write_text(json.dumps(content))
        return str(path)

    def secret_content(self, uri: str) -> Mapping[str, str] | None:
        """The content of a secret, as an administrator reads it; None if it does not exist."""
        try:
            return self.juju.show_secret(uri, reveal=True).content
        except jubilant.CLIError:
            return None

    def secret_reads(self, unit: str) -> dict[str, str]:
        """The results of a reference charm's attempts to read secrets, by URI.

        ``ok``, or the error.
        """
        lines = (e.text for e in self.juju.timeline.entries("log") if e.subject == unit)
        reads = [line.split(" ", 2) for line in lines if line.startswith("READ ")]
        return {uri: result for _, uri, result in reads}


def _reason(error: CharmError | jubilant.CLIError) -> str:
    return str(getattr(error, "stderr", "") or error).strip()
