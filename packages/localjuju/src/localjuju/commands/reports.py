"""The commands that report the state of a model."""

from __future__ import annotations

from typing import Any

from .. import report
from .arguments import Command, Output, Parser, dump
from .context import Context


def _status(context: Context, a: Any) -> Output:
    return dump(report.status(context.model), a.format)


def _show_unit(context: Context, a: Any) -> Output:
    units = {n: report.show_unit(context.model, context.unit(n)) for n in a.units}
    return dump(units, a.format)


def _show_model(context: Context, a: Any) -> Output:
    return dump({context.model.name: report.model_info(context.model)}, a.format)


def _debug_log(context: Context, a: Any) -> Output:
    entries = context.engine.timeline.entries("log", "hook")
    limit = int(a.limit or 0)
    return "".join(f"{e.subject}: {e.text}\n" for e in entries[-limit:])


def _version(context: Context, a: Any) -> Output:
    version = f"{context.model.juju_version}-ubuntu-amd64"
    return dump({"version": version}, a.format) if a.all else f"{version}\n"


COMMANDS: dict[str, tuple[Parser, Command]] = {
    "debug-log": (Parser("debug-log", "", "--limit"), _debug_log),
    "show-model": (Parser("show-model", "name?"), _show_model),
    "show-unit": (Parser("show-unit", "units*"), _show_unit),
    "status": (Parser("status", "apps*"), _status),
    "version": (Parser("version", "", flags=["--all"]), _version),
}
