"""A charm that does what a test tells it to, and what it saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import localjuju

PROBE = Path(__file__).parent / "charms" / "probe"


class Probe:
    """A model whose charms do what the test says, and what they saw."""

    def __init__(self, juju: localjuju.Juju, script: Path):
        self.juju = juju
        self._script = script
        self._orders: dict[str, list[Any]] = {}

    def order(self, hook: str, *commands: Any) -> None:
        """What a hook shall run, of every unit or, as 'unit hook', of one."""
        self._orders[hook] = list(commands)
        self._script.write_text(json.dumps(self._orders))

    def records(self, unit: str = "", hook: str = "") -> list[dict[str, Any]]:
        """The hooks that ran."""
        log = self._script.with_suffix(".log")
        found = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [r for r in found if unit in {"", r["unit"]} and hook in {"", r["hook"]}]

    def hooks(self, unit: str) -> list[str]:
        return [record["hook"] for record in self.records(unit)]

    def said(self, unit: str, hook: str) -> list[Any]:
        """What the commands of the last such hook printed; an error as its text."""
        ran = self.records(unit, hook)[-1]["ran"]
        return [out if code == 0 else err.strip() for code, out, err in ran]

    def deploy(self, app: str, units: int = 1, **options: Any) -> None:
        self.juju.deploy(PROBE, app, num_units=units, **options)
