"""The output of ``juju status``, ``show-unit``, ``secrets`` and the like, as plain data."""

from __future__ import annotations

from typing import Any

from .model import Application, Model, Relation, Secret, Status, Task, Unit, now


def _status(status: Status) -> dict[str, Any]:
    details = {"current": status.status, "since": status.since}
    return {**details, "message": status.message} if status.message else details


def _workload(unit: Unit) -> dict[str, Any]:
    if unit.failed:
        text = f'hook failed: "{unit.failed.hook}"'
        return {"current": "error", "message": text, "since": unit.workload.since}
    return _status(unit.workload)


def _agent(unit: Unit, model: Model) -> dict[str, Any]:
    if unit.running:
        return {"current": "executing", "message": f"running {unit.running}", "since": now()}
    current = "idle" if unit.installed else "allocating"
    return {"current": current, "since": unit.workload.since, "version": model.juju_version}


def _app_status(app: Application) -> dict[str, Any]:
    """The status that the leader set, or else the worst of the units', as Juju derives it."""
    order = ("error", "blocked", "maintenance", "waiting", "active", "unknown")
    units = [_workload(unit) for unit in app.units.values()]
    if any(unit["current"] == "error" for unit in units) or app.status.status == "unknown":
        units.sort(key=lambda unit: order.index(unit["current"]))
        return units[0] if units else _status(app.status)
    return _status(app.status)


def _relations(model: Model) -> dict[str, dict[str, list[dict[str, str]]]]:
    """The relations of every application, by endpoint."""
    relations: dict[str, dict[str, list[dict[str, str]]]] = {}
    for _, relation in sorted(model.relations.items()):
        for app in {end.app for end in relation.ends}:
            of_app = relations.setdefault(app, {})
            of_app.setdefault(relation.endpoint(app), []).append(
                {
                    "related-application": relation.other(app).app,
                    "interface": relation.interface,
                    "scope": "global",
                }
            )
    return relations


def status(model: Model) -> dict[str, Any]:
    """``juju status``."""
    base = {"name": "ubuntu", "channel": "24.04"}
    relations = _relations(model)
    return {
        "model": {
            "name": model.name,
            "type": "iaas",
            "controller": "localjuju",
            "cloud": "localhost",
            "version": model.juju_version,
            "model-status": {"current": "available", "since": now()},
        },
        "machines": {
            unit.machine: {
                "juju-status": {"current": "started", "since": unit.workload.since},
                "dns-name": unit.address,
                "ip-addresses": [unit.address],
                "instance-id": f"localjuju-{unit.machine}",
                "machine-status": {"current": "running", "since": unit.workload.since},
                "base": base,
            }
            for unit in model.units()
        },
        "applications": {
            name: {
                "charm": f"local:{app.charm.name}-{app.charm_version}",
                "base": base,
                "charm-origin": "local",
                "charm-name": app.charm.name,
                "charm-rev": app.charm_version,
                "exposed": False,
                "life": "" if app.alive else "dying",
                "application-status": _app_status(app),
                "relations": relations.get(name, {}),
                "units": {u: _unit_status(model, unit) for u, unit in app.units.items()},
                "version": next(
                    (u.workload_version for u in app.units.values() if u.workload_version), ""
                ),
            }
            for name, app in sorted(model.applications.items())
        },
        "controller": {"timestamp": now()},
    }


def _unit_status(model: Model, unit: Unit) -> dict[str, Any]:
    details: dict[str, Any] = {
        "workload-status": _workload(unit),
        "juju-status": _agent(unit, model),
        "machine": unit.machine,
        "public-address": unit.address,
        "address": unit.address,
        "open-ports": sorted(unit.ports),
    }
    if model.is_leader(unit.name):
        details["leader"] = True
    return details


def show_unit(model: Model, unit: Unit) -> dict[str, Any]:
    """``juju show-unit``."""
    return {
        "workload-version": unit.workload_version,
        "machine": unit.machine,
        "opened-ports": sorted(unit.ports),
        "public-address": unit.address,
        "charm": f"local:{model.applications[unit.app].charm.name}",
        "leader": model.is_leader(unit.name),
        "life": "alive" if unit.alive else "dying",
        "relation-info": [_relation_info(model, unit, r) for r in model.relations_of(unit.app)],
    }


def _relation_info(model: Model, unit: Unit, relation: Relation) -> dict[str, Any]:
    other = relation.other(unit.app)
    return {
        "relation-id": relation.id,
        "endpoint": relation.endpoint(unit.app),
        "related-endpoint": other.endpoint,
        "application-data": dict(relation.app_data.get(other.app, {})),
        "local-unit": {
            "in-scope": unit.name in relation.in_scope,
            "data": dict(relation.unit_data.get(unit.name, {})),
        },
        "related-units": {
            name: {"in-scope": True, "data": dict(relation.unit_data.get(name, {}))}
            for name in sorted(relation.members_for(unit.name))
            if model.unit(name)
        },
    }


def show_secret(secret: Secret, *, revisions: bool = False) -> dict[str, Any]:
    """``juju show-secret``, without content."""
    updated = (
        secret.revisions[secret.latest].created if secret.latest in secret.revisions else now()
    )
    report: dict[str, Any] = {
        "revision": secret.latest,
        "owner": secret.owner,
        "created": secret.created,
        "updated": updated,
    }
    for key in ("label", "description", "name"):
        if value := getattr(secret, key):
            report[key] = value
    if secret.rotate:
        report["rotation"] = secret.rotate
    if secret.grants:
        report["access"] = [
            {"target": target, "scope": f"relation-{scope}", "role": "view"}
            for target, scope in sorted(secret.grants.items())
        ]
    if revisions:
        report["revisions"] = [
            {
                "revision": n,
                "backend": "internal",
                "created": revision.created,
                "updated": revision.created,
            }
            for n, revision in sorted(secret.revisions.items())
        ]
    return report


def config(app: Application) -> dict[str, Any]:
    """``juju config``."""
    settings: dict[str, Any] = {}
    for name, option in app.charm.options.items():
        default = option.get("default")
        value = app.config.get(name, default)
        settings[name] = {
            "type": option.get("type", "string"),
            "description": option.get("description", ""),
            "source": "user" if name in app.config else "unset" if value is None else "default",
        }
        if default is not None:
            settings[name]["default"] = default
        if value is not None:
            settings[name]["value"] = value
    return {"application": app.name, "charm": app.charm.name, "settings": settings}


def show_task(task: Task) -> dict[str, Any]:
    """``juju run``."""
    report: dict[str, Any] = {
        "id": task.id,
        "status": task.status,
        "results": {**task.results, "return-code": task.return_code},
        "unit": task.unit,
    }
    if task.message:
        report["message"] = task.message
    if task.log:
        report["log"] = list(task.log)
    return report


def model_info(model: Model) -> dict[str, Any]:
    """``juju show-model``."""
    return {
        "name": model.name,
        "short-name": model.name,
        "model-uuid": model.uuid,
        "model-type": "iaas",
        "controller-uuid": model.uuid,
        "controller-name": "localjuju",
        "is-controller": False,
        "owner": "admin",
        "cloud": "localhost",
        "region": "localhost",
        "type": "local",
        "life": "alive",
        "agent-version": model.juju_version,
    }
