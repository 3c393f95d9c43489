"""What a hook finds: its charm directory and its environment variables."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .environment import Environment
from .state import Application, Event, Model, Task, Unit

_KEEP = ("HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Agent:
    """Prepares the surroundings of hooks.

    Attributes:
        model: The model.
        root: The model's directory.
        tools: The directory with the hook commands.
        extra: Environment variables that every hook gets.
    """

    model: Model
    root: Path
    tools: Path
    extra: Mapping[str, str]

    def charm_dir(self, unit: Unit, app: Application, environment: Environment) -> Path:
        """The unit's own charm directory: state and metadata of its own, code by link."""
        target = self.root / "agents" / f"unit-{unit.name.replace('/', '-')}" / "charm"
        stamp = target / ".localjuju-charm-version"
        if stamp.exists() and stamp.read_text() == str(app.charm_version):
            return target
        target.mkdir(parents=True, exist_ok=True)
        for entry in target.iterdir():
            if entry.is_symlink():
                entry.unlink()
        own = {"metadata.yaml", "config.yaml", "actions.yaml", "dispatch", ".unit-state.db"}
        for entry in app.charm.root.iterdir():
            if entry.name not in own and not entry.name.startswith("."):
                (target / entry.name).symlink_to(entry)
        app.charm.write_split(target)
        self._write_dispatch(target / "dispatch", app, environment)
        stamp.write_text(str(app.charm_version))
        return target

    @staticmethod
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

    def variables(
        self, unit: Unit, event: Event, task: Task | None, directory: Path
    ) -> dict[str, str]:
        """The environment of a hook, without its context id."""
        given = self.extra.get("PATH") or os.environ.get("PATH", os.defpath)
        variables = {k: os.environ[k] for k in _KEEP if k in os.environ}
        # As in production a charm is compiled once, but no directory of the user's gets the files.
        variables["PYTHONPYCACHEPREFIX"] = str(self.root / "bytecode")
        variables |= {**self.extra, "PATH": os.pathsep.join([str(self.tools), given])}
        variables |= {
            "CHARM_DIR": str(directory),
            "CLOUD_API_VERSION": "",
            "JUJU_AGENT_SOCKET_ADDRESS": str(self.root / "agent.sock"),
            "JUJU_AGENT_SOCKET_NETWORK": "unix",
            "JUJU_AVAILABILITY_ZONE": "local",
            "JUJU_CHARM_DIR": str(directory),
            "JUJU_HOOK_NAME": event.hook,
            "JUJU_MACHINE_ID": unit.machine,
            "JUJU_MODEL_NAME": self.model.name,
            "JUJU_MODEL_UUID": self.model.uuid,
            "JUJU_PRINCIPAL_UNIT": "",
            "JUJU_UNIT_NAME": unit.name,
            "JUJU_VERSION": self.model.juju_version,
            "LOCALJUJU_DIR": str(directory.parent),
            "LOCALJUJU_TOOLS": str(self.tools),
        }
        if task is not None or event.hook:
            path = f"actions/{task.action}" if task else f"hooks/{event.hook}"
            variables["JUJU_DISPATCH_PATH"] = path
        if task is not None:
            variables |= {"JUJU_ACTION_NAME": task.action, "JUJU_ACTION_UUID": task.id}
        if event.relation_id is not None:
            variables |= _of_relation(event)
        if event.secret_id:
            variables |= self._of_secret(unit, event)
        if event.storage_id:
            variables |= {
                "JUJU_STORAGE_ID": event.storage_id,
                "JUJU_STORAGE_LOCATION": unit.storages[event.storage_id],
                "JUJU_STORAGE_KIND": "filesystem",
            }
        return variables

    def _of_secret(self, unit: Unit, event: Event) -> dict[str, str]:
        variables = {"JUJU_SECRET_ID": f"secret:{event.secret_id}"}
        secret = self.model.secrets.get(event.secret_id)
        if secret is not None:
            consumer = secret.consumers.get(unit.name)
            label = secret.label if secret.owner in {unit.name, unit.app} else ""
            if event.kind == "secret-changed" and consumer:
                label = consumer.label or label
            if label:
                variables["JUJU_SECRET_LABEL"] = label
        if event.secret_revision is not None:
            variables["JUJU_SECRET_REVISION"] = str(event.secret_revision)
        return variables


def _of_relation(event: Event) -> dict[str, str]:
    endpoint = event.hook.rpartition("-relation-")[0]
    variables = {
        "JUJU_RELATION": endpoint,
        "JUJU_RELATION_ID": f"{endpoint}:{event.relation_id}",
        "JUJU_REMOTE_APP": event.remote_app,
        "JUJU_REMOTE_UNIT": event.remote_unit,
    }
    if event.departing_unit:
        variables["JUJU_DEPARTING_UNIT"] = event.departing_unit
    return variables
