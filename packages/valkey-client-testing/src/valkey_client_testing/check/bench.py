"""A model in which a charm is held to the contract."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import jubilant

from localjuju import CharmError, Juju

from .results import Violation

PATIENCE = 180.0
"""Seconds that a model may take to become quiet, on a busy machine."""


class UnfitError(RuntimeError):
    """A charm cannot be checked; the message says why."""


class Bench:
    """The model, the charm under test in it, and the hooks of it that failed.

    Args:
        juju: The model.
        charm: A directory or a ``.charm`` file.
        role: The role that the charm has on the endpoint.
        units: How many units of it to deploy.
        config: Its configuration.
        beside: Charms that it needs beside it; it is related to each.

    Raises:
        UnfitError: If the charm has no such endpoint, or cannot be deployed.
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
        beside: Sequence[Path] = (),
    ):
        self.juju = juju
        self._files = 0
        try:
            juju.deploy(charm, self.subject, num_units=units, config=dict(config))
        except (CharmError, jubilant.CLIError) as error:
            said = getattr(error, "stderr", "") or str(error)
            raise UnfitError(f"{charm} cannot be deployed: {said.strip()}") from None
        endpoints = juju.snapshot().application(self.subject).endpoints
        found = [e for e in endpoints.values() if (e.interface, e.role) == ("valkey_client", role)]
        if not found:
            raise UnfitError(f"{charm} {role} no endpoint with the interface valkey_client")
        self.endpoint = found[0].name
        for number, other in enumerate(beside):
            self._relate(other, f"beside{number}")

    def _relate(self, charm: Path, app: str) -> None:
        """Deploy a charm that the one under test needs, and relate the two."""
        try:
            self.juju.deploy(charm, app)
            self.juju.integrate(self.subject, app)
        except (CharmError, jubilant.CLIError) as error:
            said = getattr(error, "stderr", "") or str(error)
            raise UnfitError(f"{charm} cannot be deployed beside: {said.strip()}") from None

    @property
    def units(self) -> list[str]:
        """The units of the charm under test."""
        return [unit.name for unit in self.juju.units(self.subject)]

    @property
    def leader(self) -> str:
        """The unit that leads them."""
        return self.juju.leader(self.subject)

    def failures(self) -> list[str]:
        """The hooks of the charm under test that failed so far."""
        found = self.juju.timeline.entries("hook")
        ours = [e for e in found if e.subject in self.units]
        return [f"{e.subject}: {e.text}" for e in ours if " failed: " in e.text]

    def settle(self) -> None:
        """Wait until nothing is left to do, or nothing can be done as a hook fails.

        Raises:
            Violation: If a hook of the charm under test fails, or goes on for ever.
        """
        deadline = time.monotonic() + PATIENCE
        before = len(self.failures())
        while True:
            try:
                self.juju.settle(1.0)
            except TimeoutError as error:
                failed = self.failures()[before:]
                if failed and self._failing():
                    raise Violation(failed[-1]) from None
                if time.monotonic() > deadline:
                    raise Violation(f"it does not come to rest: {error}") from None
            else:
                return

    def _failing(self) -> list[str]:
        return [unit.name for unit in self.juju.units(self.subject) if unit.failed]

    def skip_failed(self) -> None:
        """Take hooks that fail for done, as a person would who cannot mend the charm."""
        while failing := self._failing():
            for unit in failing:
                self.juju.cli("resolve", "--no-retry", unit)
            try:
                self.settle()
            except Violation:
                continue

    def recover(self) -> None:
        """Wait until a hook that failed has been retried with success."""
        self.juju.settle(PATIENCE)

    def file(self, content: object) -> str:
        """Write a JSON file for a reference charm; a new name each time, as its config is."""
        self._files += 1
        path = self.juju.directory / f"script-{self._files}.json"
        path.write_text(json.dumps(content))
        return str(path)

    def secret(self, uri: str) -> Mapping[str, str] | None:
        """The content of a secret, whoever may read it."""
        try:
            return self.juju.show_secret(uri, reveal=True).content
        except jubilant.CLIError:
            return None

    def reads(self, unit: str) -> dict[str, str]:
        """What came of a reference charm's attempts to read secrets, by URI."""
        found = (e.text for e in self.juju.timeline.entries("log") if e.subject == unit)
        words = [text.split(" ", 2) for text in found if text.startswith("READ ")]
        return {uri: what for _, uri, what in words}
