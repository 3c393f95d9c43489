"""The commands for applications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..charm import CharmSpec
from ..errors import CommandError
from ..model import Application, RelationEnd, new_secret_id
from .arguments import NOT_HERE, Command, Parser
from .configuration import parse
from .context import Context
from .relations import add_relation
from .units import attached


def _deploy(context: Context, a: Any) -> None:
    if not Path(a.charm).is_absolute():
        raise CommandError(f'"{a.charm}" is not a path; localjuju has no Charmhub')
    engine = context.engine
    charm = CharmSpec.load(Path(a.charm), engine.root / f"charm-{new_secret_id()}")
    name = a.app or charm.name
    if name in context.model.applications:
        raise CommandError(f'deploying "{name}": application already exists')
    app = Application(name, charm, trusted=a.trust)
    app.config = parse(app, a.config or [])
    context.model.applications[name] = app
    engine.timeline.add("model", name, f"deployed from {charm.root.name}")
    for endpoint in charm.endpoints.values():
        if endpoint.role == "peers":
            add_relation(context, endpoint.interface, [RelationEnd(name, endpoint.name)])
    storage = attached(context, a.attach_storage)
    for _ in range(int(a.num_units or a.n or 1)):
        engine.controller.add_unit(app, storage)
        storage = {}


def _refresh(context: Context, a: Any) -> None:
    app = context.app(a.app)
    charm = app.charm
    if a.path:
        target = context.engine.root / f"charm-{new_secret_id()}"
        charm = CharmSpec.load(Path(a.path), target)
    elif not charm.packed:
        charm = CharmSpec.load(charm.root, charm.root)
    context.engine.refresh(app, charm)
    for endpoint in charm.endpoints.values():
        end = RelationEnd(app.name, endpoint.name)
        is_related = any(end in relation.ends for relation in context.model.relations.values())
        if endpoint.role == "peers" and not is_related:
            add_relation(context, endpoint.interface, [end])
    app.config |= parse(app, a.config or [])


def _trust(context: Context, a: Any) -> None:
    context.app(a.app).trusted = not a.remove


def _remove_application(context: Context, a: Any) -> None:
    for name in a.apps:
        app = context.app(name)
        app.alive = False
        for relation in context.model.relations_of(name):
            if not relation.is_peer:
                context.engine.controller.begin_relation_removal(relation)
        for unit in app.units.values():
            unit.alive = False
        if not app.units:
            context.engine.controller.remove_application(app)


COMMANDS: dict[str, tuple[Parser, Command]] = {
    "deploy": (
        Parser(
            *("deploy", "charm app?", "--config*", "--num-units", "-n", "--storage*"),
            *("--resource*", "--overlay*", "--attach-storage", *NOT_HERE),
            flags=["--trust", "--force"],
        ),
        _deploy,
    ),
    "refresh": (
        Parser(
            *("refresh", "app", "--path", "--config*", "--storage*", "--resource*"),
            *NOT_HERE,
            flags=["--trust", "--force", "--force-base", "--force-units"],
        ),
        _refresh,
    ),
    "remove-application": (
        Parser(
            *("remove-application", "apps*"),
            flags=["--no-prompt", "--destroy-storage", "--force"],
        ),
        _remove_application,
    ),
    "trust": (Parser("trust", "app", "--scope", flags=["--remove"]), _trust),
}
