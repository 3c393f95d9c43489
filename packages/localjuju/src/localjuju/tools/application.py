"""The hook commands for configuration, status, log and goal state."""

from __future__ import annotations

from typing import Any

from ..errors import ToolError
from ..hook import Hook
from .arguments import Arguments, Parser, Tool, unsupported


def _config_get(hook: Hook, a: Arguments, _: str) -> Any:
    app = hook.model.applications[hook.unit.app]
    values = {**app.charm.default_config(), **app.config}
    return values.get(a.rest[0]) if a.rest else values


def _is_leader(hook: Hook, _a: Arguments, _: str) -> Any:
    return hook.is_leader


def _status_set(hook: Hook, a: Arguments, _: str) -> None:
    status = a.rest[0] if a.rest else ""
    if status not in {"active", "blocked", "maintenance", "waiting", "unknown"}:
        raise ToolError(f'ERROR invalid status "{status}", expected one of [...]')
    hook.set_status(status, " ".join(a.rest[1:]), of_app=a.flag("application"))


def _status_get(hook: Hook, a: Arguments, _: str) -> Any:
    def details(status: str, message: str) -> dict[str, Any]:
        return {"status": status, "message": message, "status-data": {}}

    if not a.flag("application"):
        return details(hook.unit.workload.status, hook.unit.workload.message)
    if not hook.is_leader:
        raise ToolError("ERROR finding application status: this unit is not the leader")
    app = hook.model.applications[hook.unit.app]
    units = {n: details(u.workload.status, u.workload.message) for n, u in app.units.items()}
    status = details(app.status.status, app.status.message)
    return {"application-status": {**status, "units": units}}


def _juju_log(hook: Hook, a: Arguments, _: str) -> None:
    level = (a.text("log_level") or "INFO").upper()
    hook.timeline.add("log", hook.unit.name, f"{level} {' '.join(a.rest)}")


def _version_set(hook: Hook, a: Arguments, _: str) -> None:
    hook.unit.workload_version = " ".join(a.rest)


def _goal_state(hook: Hook, _a: Arguments, _: str) -> Any:
    def units(app: str) -> dict[str, Any]:
        return {
            name: {
                "status": unit.workload.status if unit.alive else "dying",
                "since": unit.workload.since,
            }
            for name, unit in hook.model.applications[app].units.items()
        }

    relations: dict[str, Any] = {}
    for relation in hook.model.relations_of(hook.unit.app):
        other = relation.other(hook.unit.app).app
        if relation.is_peer:
            continue
        app = hook.model.applications[other]
        entry = {other: {"status": "joined", "since": app.status.since}, **units(other)}
        relations.setdefault(relation.endpoint(hook.unit.app), {}).update(entry)
    return {"units": units(hook.unit.app), "relations": relations}


TOOLS: dict[str, tuple[Parser, Tool]] = {
    "application-version-set": (Parser("application-version-set"), _version_set),
    "config-get": (Parser("config-get", flags=["--all"]), _config_get),
    "credential-get": (Parser("credential-get"), unsupported),
    "goal-state": (Parser("goal-state"), _goal_state),
    "is-leader": (Parser("is-leader"), _is_leader),
    "juju-log": (Parser("juju-log", "-l --log-level", flags=["--debug"]), _juju_log),
    "juju-reboot": (Parser("juju-reboot", flags=["--now"]), unsupported),
    "resource-get": (Parser("resource-get"), unsupported),
    "status-get": (
        Parser("status-get", flags=["--application", "--include-data"]),
        _status_get,
    ),
    "status-set": (Parser("status-set", flags=["--application"]), _status_set),
}
