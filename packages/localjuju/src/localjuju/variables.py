"""The environment variables of hooks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .model import Event, Model, Task, Unit

_KEPT = ("HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")
"""Variables of this process that hooks get as well."""


@dataclass(frozen=True)
class HookVariables:
    """Makes the environment variables of hooks.

    Attributes:
        model: The model.
        root: The directory of the model's files.
        tools: The directory with the hook commands.
        extra: Environment variables that every hook gets.
    """

    model: Model
    root: Path
    tools: Path
    extra: Mapping[str, str]

    def of(self, unit: Unit, event: Event, task: Task | None, charm_dir: Path) -> dict[str, str]:
        """The variables of one hook, without its context id.

        Args:
            unit: The unit.
            event: What the hook is about.
            task: The action, if it is one.
            charm_dir: The unit's charm directory.
        """
        return {
            **self._of_process(),
            **self._of_unit(unit, charm_dir),
            "JUJU_HOOK_NAME": event.hook,
            **_dispatch_path(event, task),
            **(_of_action(task) if task else {}),
            **(_of_relation(event) if event.relation_id is not None else {}),
            **(self._of_secret(unit, event) if event.secret_id else {}),
            **(_of_storage(unit, event) if event.storage_id else {}),
        }

    def _of_process(self) -> dict[str, str]:
        path = self.extra.get("PATH") or os.environ.get("PATH", os.defpath)
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            **self.extra,
            "PATH": os.pathsep.join([str(self.tools), path]),
        }

    def _of_unit(self, unit: Unit, charm_dir: Path) -> dict[str, str]:
        return {
            "CHARM_DIR": str(charm_dir),
            "CLOUD_API_VERSION": "",
            "JUJU_AGENT_SOCKET_ADDRESS": str(self.root / "agent.sock"),
            "JUJU_AGENT_SOCKET_NETWORK": "unix",
            "JUJU_AVAILABILITY_ZONE": "local",
            "JUJU_CHARM_DIR": str(charm_dir),
            "JUJU_MACHINE_ID": unit.machine,
            "JUJU_MODEL_NAME": self.model.name,
            "JUJU_MODEL_UUID": self.model.uuid,
            "JUJU_PRINCIPAL_UNIT": "",
            "JUJU_UNIT_NAME": unit.name,
            "JUJU_VERSION": self.model.juju_version,
            "LOCALJUJU_DIR": str(charm_dir.parent),
            "LOCALJUJU_TOOLS": str(self.tools),
        }

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


def _dispatch_path(event: Event, task: Task | None) -> dict[str, str]:
    if task is not None:
        return {"JUJU_DISPATCH_PATH": f"actions/{task.action}"}
    return {"JUJU_DISPATCH_PATH": f"hooks/{event.hook}"} if event.hook else {}


def _of_action(task: Task) -> dict[str, str]:
    return {"JUJU_ACTION_NAME": task.action, "JUJU_ACTION_UUID": task.id}


def _of_storage(unit: Unit, event: Event) -> dict[str, str]:
    return {
        "JUJU_STORAGE_ID": event.storage_id,
        "JUJU_STORAGE_LOCATION": unit.storages[event.storage_id],
        "JUJU_STORAGE_KIND": "filesystem",
    }


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
