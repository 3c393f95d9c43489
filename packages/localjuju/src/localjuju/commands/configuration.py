"""The command for an application's configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import report
from ..errors import CommandError
from ..model import Application
from .arguments import Command, Output, Parser, dump
from .context import Context


def _config(context: Context, a: Any) -> Output:
    app = context.app(a.app)
    if a.pairs or a.reset:
        old = dict(app.config)
        app.config |= parse(app, a.pairs)
        for name in a.reset.split(",") if a.reset else ():
            app.config.pop(name, None)
        if app.config != old:
            app.config_version += 1
        return None
    return dump(report.config(app), a.format)


def parse(app: Application, pairs: Iterable[str]) -> dict[str, Any]:
    """Values given as ``name=text``, each of its option's type.

    Raises:
        CommandError: If there is no such option, or it is of another type.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        option = app.charm.options.get(name)
        if option is None:
            raise CommandError(f'unknown option "{name}" of application "{app.name}"')
        values[name] = _parse_option(name, option.get("type", "string"), text)
    return values


def _parse_option(name: str, kind: str, text: str) -> Any:
    try:
        match kind:
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case _:
                return text
    except (ValueError, KeyError):
        raise CommandError(f'option "{name}" expected {kind}, got "{text}"') from None


COMMANDS: dict[str, tuple[Parser, Command]] = {
    "config": (Parser("config", "app pairs*", "--reset"), _config),
}
