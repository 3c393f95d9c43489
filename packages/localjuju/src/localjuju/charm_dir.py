"""The charm directory of each unit."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from .environment import Environment
from .model import Application, Unit

_OWN_FILES = frozenset(
    {"metadata.yaml", "config.yaml", "actions.yaml", "dispatch", ".unit-state.db"}
)
"""What each unit has a copy of; everything else is a link to the charm's files."""


@dataclass(frozen=True)
class CharmDirs:
    """Writes charm directories.

    Attributes:
        root: The directory of the model's files.
    """

    root: Path

    def prepare(self, unit: Unit, app: Application, environment: Environment) -> Path:
        """The unit's own charm directory, written first if the charm has changed."""
        target = self.root / "agents" / f"unit-{unit.name.replace('/', '-')}" / "charm"
        stamp = target / ".localjuju-charm-version"
        if stamp.exists() and stamp.read_text() == str(app.charm_version):
            return target
        target.mkdir(parents=True, exist_ok=True)
        for entry in target.iterdir():
            if entry.is_symlink():
                entry.unlink()
        for entry in app.charm.root.iterdir():
            if entry.name not in _OWN_FILES and not entry.name.startswith("."):
                (target / entry.name).symlink_to(entry)
        app.charm.write_split(target)
        _write_dispatch(target / "dispatch", app, environment)
        stamp.write_text(str(app.charm_version))
        return target


def _write_dispatch(target: Path, app: Application, environment: Environment) -> None:
    packed = app.charm.root / "dispatch"
    if app.charm.packed and packed.exists():
        target.unlink(missing_ok=True)
        shutil.copy(packed, target)
    else:
        path = ":".join(environment.path)
        command = f"exec {environment.python} {app.charm.entry_point}"
        target.write_text(f"#!/bin/sh\nPYTHONPATH={path} {command}\n")
    target.chmod(0o755)
