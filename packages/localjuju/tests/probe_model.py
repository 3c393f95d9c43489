"""A charm that runs what a test tells it to, and records what it saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import localjuju

PROBE = Path(__file__).parent / "charms" / "probe"


class Probe:
    """A model whose charms run what the test says, and what they saw."""

    def __init__(self, juju: localjuju.Juju, script: Path):
        self.juju = juju
        self._script = script
        self._commands: dict[str, list[Any]] = {}
        self._gate = script.with_name("gate")

    def on(self, hook: str, *commands: Any) -> None:
        """What a hook runs from now on: of every unit or, as 'unit hook', of one."""
        self._commands[hook] = list(commands)
        new = self._script.with_suffix(".new")
        new.write_text(json.dumps(self._commands))
        new.rename(self._script)

    @property
    def wait_at_gate(self) -> list[str]:
        """A command that ends once the test opens the gate."""
        return ["sh", "-c", f"until test -e {self._gate}; do sleep 0.01; done"]

    def open_gate(self) -> None:
        self._gate.touch()

    def await_hook(self, unit: str, hook: str) -> None:
        """Wait until a unit runs a hook."""
        self.juju.wait(lambda _: self._runs(unit, hook))

    def _runs(self, unit: str, hook: str) -> bool:
        now = self.juju.snapshot().unit(unit)
        return now is not None and now.running is not None and now.running.hook == hook

    def records(self, unit: str = "", hook: str = "") -> list[dict[str, Any]]:
        """The hooks that ran."""
        log = self._script.with_suffix(".log")
        lines = log.read_text().splitlines() if log.exists() else []
        records = [json.loads(line) for line in lines]
        return [r for r in records if unit in {"", r["unit"]} and hook in {"", r["hook"]}]

    def hooks(self, unit: str) -> list[str]:
        return [record["hook"] for record in self.records(unit)]

    def outputs(self, unit: str, hook: str) -> list[Any]:
        """What the commands of the last such hook printed; an error as its text."""
        ran = self.records(unit, hook)[-1]["ran"]
        return [out if code == 0 else err.strip() for code, out, err in ran]

    def deploy(self, app: str, units: int = 1, **options: Any) -> None:
        self.juju.deploy(PROBE, app, num_units=units, **options)


def command_line(pid: int) -> str:
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
