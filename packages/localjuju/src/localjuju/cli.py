"""The ``juju`` command lines that this model understands, with Juju's output."""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

import yaml

from . import report
from .charm import CharmSpec, EndpointSpec
from .engine import Engine
from .errors import CharmError, CommandError
from .state import (
    Application,
    Relation,
    RelationEnd,
    Secret,
    SecretRevision,
    Task,
    Unit,
    new_secret_id,
)

Output = str | tuple[int, str, str]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CommandError(message)


def _parser(name: str, positionals: str, *options: str, flags: Sequence[str] = ()) -> _Parser:
    parser = _Parser(prog=f"juju {name}", add_help=False, allow_abbrev=False)
    parser.add_argument("--model", "-m")
    parser.add_argument("--format", default="yaml")
    for positional in positionals.split():
        parser.add_argument(positional.rstrip("*?"), nargs=_nargs(positional))
    for option in options:
        action = "append" if option.endswith("*") else "store"
        parser.add_argument(option.rstrip("*"), action=action)
    for flag in flags:
        parser.add_argument(flag, action="store_true")
    return parser


def _nargs(positional: str) -> str | None:
    return positional[-1] if positional[-1] in "*?" else None


class Commands:
    """Carries out ``juju`` command lines on a model."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._model = engine.model
        unused = ("--base", "--channel", "--constraints*", "--to", "--bind", "--revision")
        self._commands: dict[str, tuple[_Parser, Callable[[Any], Output]]] = {
            "add-secret": (_parser("add-secret", "name", "--file", "--info"), self._add_secret),
            "add-unit": (
                _parser("add-unit", "app", "--num-units", "-n", "--to", "--attach-storage"),
                self._add_unit,
            ),
            "config": (_parser("config", "app pairs*", "--reset"), self._config),
            "debug-log": (_parser("debug-log", "", "--limit"), self._debug_log),
            "deploy": (
                _parser(
                    *("deploy", "charm app?", "--config*", "--num-units", "-n", "--storage*"),
                    *("--resource*", "--overlay*", "--attach-storage", *unused),
                    flags=["--trust", "--force"],
                ),
                self._deploy,
            ),
            "grant-secret": (_parser("grant-secret", "secret app"), self._grant_secret),
            "integrate": (_parser("integrate", "one two", "--via"), self._integrate),
            "refresh": (
                _parser(
                    *("refresh", "app", "--path", "--config*", "--storage*", "--resource*"),
                    *unused,
                    flags=["--trust", "--force", "--force-base", "--force-units"],
                ),
                self._refresh,
            ),
            "remove-application": (
                _parser(
                    *("remove-application", "apps*"),
                    flags=["--no-prompt", "--destroy-storage", "--force"],
                ),
                self._remove_application,
            ),
            "remove-relation": (
                _parser("remove-relation", "one two", flags=["--force"]),
                self._remove_relation,
            ),
            "remove-unit": (
                _parser(
                    *("remove-unit", "units*", "--num-units"),
                    flags=["--no-prompt", "--destroy-storage", "--force"],
                ),
                self._remove_unit,
            ),
            "resolve": (
                _parser("resolve", "units*", flags=["--no-retry", "--all"]),
                self._resolve,
            ),
            "run": (_parser("run", "unit action pairs*", "--params", "--wait"), self._run),
            "secrets": (_parser("secrets", "", "--owner"), self._secrets),
            "show-model": (_parser("show-model", "name?"), self._show_model),
            "show-secret": (
                _parser(
                    *("show-secret", "secret", "--revision"), flags=["--reveal", "--revisions"]
                ),
                self._show_secret,
            ),
            "show-unit": (_parser("show-unit", "units*"), self._show_unit),
            "status": (_parser("status", "apps*"), self._status),
            "trust": (_parser("trust", "app", "--scope", flags=["--remove"]), self._trust),
            "update-secret": (
                _parser("update-secret", "secret", "--file", "--info", "--name"),
                self._update_secret,
            ),
            "version": (_parser("version", "", flags=["--all"]), self._version),
        }

    def run(self, arguments: list[str], directory: Path) -> tuple[int, str, str]:
        """Carry out a command line.

        Args:
            arguments: What stands behind ``juju``.
            directory: Where the caller stands; relative paths begin there.

        Returns:
            Exit code, standard output, standard error.
        """
        name, *rest = arguments or ["help"]
        known = self._commands.get(name)
        if known is None:
            names = ", ".join(sorted(self._commands))
            return 2, "", f'ERROR localjuju does not know "juju {name}"; it knows {names}\n'
        parser, command = known
        try:
            parsed = parser.parse_args(rest)
            for name_of_file in ("charm", "path", "file", "params"):
                if value := getattr(parsed, name_of_file, None):
                    is_path = name_of_file != "charm" or value.startswith((".", "/"))
                    setattr(parsed, name_of_file, str(directory / value) if is_path else value)
            output = command(parsed)
        except (CommandError, CharmError) as error:
            return 1, "", f"ERROR {error}\n"
        except (ValueError, OSError, yaml.YAMLError) as error:
            return 1, "", f"ERROR {name}: {error}\n"
        return (0, output, "") if isinstance(output, str) else output

    # Look-ups.

    def _app(self, name: str) -> Application:
        app = self._model.applications.get(name)
        if app is None:
            raise CommandError(f'application "{name}" not found')
        return app

    def _unit(self, name: str) -> Unit:
        app, _, number = name.partition("/")
        found = self._model.unit(self._app(app).leader if number == "leader" else name)
        if found is None:
            raise CommandError(f'unit "{name}" not found')
        return found

    def _secret(self, identifier: str) -> Secret:
        named = (s for s in self._model.secrets.values() if identifier in {s.name, s.label})
        found = self._model.find_secret(identifier) or next(named, None)
        if found is None:
            raise CommandError(f'secret "{identifier}" not found')
        return found

    def _notify(self) -> str:
        self._engine.changed.notify_all()
        return ""

    # Applications and units.

    def _deploy(self, a: Any) -> Output:
        if not Path(a.charm).is_absolute():
            raise CommandError(f'"{a.charm}" is not a path; localjuju has no Charmhub')
        engine = self._engine
        charm = CharmSpec.load(Path(a.charm), engine.root / f"charm-{new_secret_id()}")
        with engine.lock:
            name = a.app or charm.name
            if name in self._model.applications:
                raise CommandError(f'deploying "{name}": application already exists')
            app = Application(name, charm, trusted=a.trust)
            app.config = self._parse_config(app, a.config or [])
            self._model.applications[name] = app
            engine.timeline.add("model", name, f"deployed from {charm.root.name}")
            for endpoint in charm.endpoints.values():
                if endpoint.role == "peers":
                    self._add_relation(endpoint.interface, [RelationEnd(name, endpoint.name)])
            storage = self._attached(a.attach_storage)
            for _ in range(int(a.num_units or a.n or 1)):
                engine.add_unit(app, storage)
                storage = {}
            return self._notify()

    def _attached(self, names: str | None) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in names.split(",") if names else ():
            if name not in self._model.detached_storage:
                raise CommandError(f'storage "{name}" not found, or in use')
            found[name] = self._model.detached_storage.pop(name)
        return found

    def _add_unit(self, a: Any) -> Output:
        with self._engine.lock:
            app = self._app(a.app)
            storage = self._attached(a.attach_storage)
            for _ in range(int(a.num_units or a.n or 1)):
                self._engine.add_unit(app, storage)
                storage = {}
            return self._notify()

    def _remove_unit(self, a: Any) -> Output:
        with self._engine.lock:
            for name in a.units:
                if "/" in name:
                    self._begin_removal(self._unit(name), force=a.force)
                    continue
                alive = [u for u in self._app(name).units.values() if u.alive]
                alive.sort(key=lambda unit: unit.number)
                for unit in alive[max(0, len(alive) - int(a.num_units or 1)) :]:
                    self._begin_removal(unit, force=a.force)
            return self._notify()

    def _begin_removal(self, unit: Unit, *, force: bool) -> None:
        """A leader keeps its office until its agent stops, as in Juju."""
        unit.alive = False
        unit.stopped = force
        self._engine.timeline.add("model", unit.name, "unit removal begins")

    def _remove_application(self, a: Any) -> Output:
        with self._engine.lock:
            for name in a.apps:
                app = self._app(name)
                app.alive = False
                for relation in self._model.relations_of(name):
                    if not relation.is_peer:
                        self._engine.drop_relation(relation)
                for unit in app.units.values():
                    unit.alive = False
                if not app.units:
                    self._engine.remove_app(app)
            return self._notify()

    def _refresh(self, a: Any) -> Output:
        with self._engine.lock:
            app = self._app(a.app)
            charm = app.charm
            if a.path:
                target = self._engine.root / f"charm-{new_secret_id()}"
                charm = CharmSpec.load(Path(a.path), target)
            elif not charm.packed:
                charm = CharmSpec.load(charm.root, charm.root)
            self._engine.refresh(app, charm)
            for endpoint in charm.endpoints.values():
                end = RelationEnd(app.name, endpoint.name)
                known = any(end in relation.ends for relation in self._model.relations.values())
                if endpoint.role == "peers" and not known:
                    self._add_relation(endpoint.interface, [end])
            app.config |= self._parse_config(app, a.config or [])
            return self._notify()

    def _trust(self, a: Any) -> Output:
        with self._engine.lock:
            self._app(a.app).trusted = not a.remove
            return self._notify()

    def _resolve(self, a: Any) -> Output:
        with self._engine.lock:
            units = self._model.units() if a.all else [self._unit(name) for name in a.units]
            for unit in units:
                unit.retry_at = 0.0
                if a.no_retry:
                    self._engine.skip(unit)
            return self._notify()

    # Configuration.

    def _config(self, a: Any) -> Output:
        with self._engine.lock:
            app = self._app(a.app)
            if a.pairs or a.reset:
                old = dict(app.config)
                app.config |= self._parse_config(app, a.pairs)
                for name in a.reset.split(",") if a.reset else ():
                    app.config.pop(name, None)
                if app.config != old:
                    app.config_version += 1
                return self._notify()
            return _dump(report.config(app), a.format)

    @staticmethod
    def _parse_config(app: Application, pairs: Iterable[str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for pair in pairs:
            name, _, text = pair.partition("=")
            option = app.charm.options.get(name)
            if option is None:
                raise CommandError(f'unknown option "{name}" of application "{app.name}"')
            values[name] = _parse_option(name, option.get("type", "string"), text)
        return values

    # Relations.

    def _add_relation(self, interface: str, ends: list[RelationEnd]) -> Relation:
        relation = Relation(self._model.next_relation, interface, tuple(ends))
        self._model.next_relation += 1
        self._model.relations[relation.id] = relation
        self._engine.timeline.add("model", str(relation), f"relation {relation.id} added")
        return relation

    def _integrate(self, a: Any) -> Output:
        with self._engine.lock:
            pair = self._match(a.one, a.two)
            if self._existing(*pair):
                raise CommandError(f"{pair[0].app} and {pair[1].app} are related already")
            interface = self._endpoint(pair[0]).interface
            self._add_relation(interface, list(pair))
            return self._notify()

    def _endpoint(self, end: RelationEnd) -> EndpointSpec:
        return self._app(end.app).charm.endpoints[end.endpoint]

    def _candidates(self, name: str) -> list[RelationEnd]:
        app, _, endpoint = name.partition(":")
        found = self._app(app).charm.endpoints
        if endpoint and endpoint not in found:
            raise CommandError(f'application "{app}" has no endpoint "{endpoint}"')
        return [RelationEnd(app, e) for e in ([endpoint] if endpoint else found)]

    def _match(self, one: str, two: str) -> tuple[RelationEnd, RelationEnd]:
        pairs = [
            (left, right)
            for left in self._candidates(one)
            for right in self._candidates(two)
            if self._endpoint(left).interface == self._endpoint(right).interface
            and {self._endpoint(left).role, self._endpoint(right).role} == {"provides", "requires"}
            and "juju-info" not in {left.endpoint, right.endpoint}
        ]
        if not pairs:
            raise CommandError(f"no relations found between {one} and {two}")
        if len(pairs) > 1:
            raise CommandError(f"ambiguous relation between {one} and {two}; name the endpoints")
        return pairs[0]

    def _existing(self, one: RelationEnd, two: RelationEnd) -> Relation | None:
        return next(
            (r for r in self._model.relations.values() if one in r.ends and two in r.ends), None
        )

    def _remove_relation(self, a: Any) -> Output:
        with self._engine.lock:
            found = [
                relation
                for relation in self._model.relations.values()
                for left in self._candidates(a.one)
                for right in self._candidates(a.two)
                if not relation.is_peer and left in relation.ends and right in relation.ends
            ]
            if not found:
                raise CommandError(f"relation {a.one} {a.two} not found")
            self._engine.drop_relation(found[0])
            return self._notify()

    # Secrets of the model's user.

    def _add_secret(self, a: Any) -> Output:
        with self._engine.lock:
            if any(secret.name == a.name for secret in self._model.secrets.values()):
                raise CommandError(f'secret with name "{a.name}" already exists')
            secret = Secret(new_secret_id(), "<model>", name=a.name, description=a.info or "")
            secret.revisions[1] = SecretRevision(_secret_file(a.file))
            secret.latest = 1
            self._model.secrets[secret.id] = secret
            self._notify()
            return f"{secret.uri}\n"

    def _update_secret(self, a: Any) -> Output:
        with self._engine.lock:
            secret = self._secret(a.secret)
            if a.file and (content := _secret_file(a.file)):
                secret.latest += 1
                secret.revisions[secret.latest] = SecretRevision(content)
            secret.name = a.name or secret.name
            return self._notify()

    def _grant_secret(self, a: Any) -> Output:
        with self._engine.lock:
            secret = self._secret(a.secret)
            for app in a.app.split(","):
                secret.grants[self._app(app).name] = None
            return self._notify()

    def _secrets(self, a: Any) -> Output:
        with self._engine.lock:
            found = [
                s
                for s in self._model.secrets.values()
                if not a.owner or s.owner == a.owner.removeprefix("application-")
            ]
            return _dump({s.id: report.secret(s) for s in found}, a.format)

    def _show_secret(self, a: Any) -> Output:
        with self._engine.lock:
            secret = self._secret(a.secret)
            revision = int(a.revision) if a.revision else secret.latest
            if revision not in secret.revisions:
                raise CommandError(f'secret "{a.secret}" has no revision {revision}')
            shown = report.secret(secret, revisions=a.revisions)
            if a.reveal:
                shown["content"] = {"Data": dict(secret.revisions[revision].content)}
            return _dump({secret.id: shown}, a.format)

    # Actions.

    def _run(self, a: Any) -> Output:
        with self._engine.lock:
            unit = self._unit(a.unit)
            if a.action not in self._app(unit.app).charm.actions:
                raise CommandError(
                    f'action "{a.action}" not defined for unit "{unit.name}" (not found)'
                )
            loaded: Any = yaml.safe_load(Path(a.params).read_text()) if a.params else None
            parameters: dict[str, Any] = loaded or {}
            for pair in a.pairs:
                name, _, value = pair.partition("=")
                parameters[name] = yaml.safe_load(value)
            action = self._app(unit.app).charm.actions[a.action]
            spec: dict[str, dict[str, Any]] = action.get("params") or {}
            defaults = {k: v["default"] for k, v in spec.items() if "default" in v}
            self._model.next_task += 1
            task = Task(str(self._model.next_task), unit.name, a.action, defaults | parameters)
            unit.tasks.append(task)
            self._notify()
            deadline = time.monotonic() + _seconds(a.wait or "60s")
            while not task.finished:
                left = deadline - time.monotonic()
                if self._engine.closing or self._model.unit(unit.name) is not unit:
                    raise CommandError(f'unit "{unit.name}" is gone')
                if left <= 0:
                    return 1, "", "ERROR timed out waiting for results from: " + unit.name + "\n"
                self._engine.changed.wait(left)
        output = _dump({unit.name: report.task(task)}, a.format)
        if task.status == "completed":
            return output
        return 1, output, f"ERROR the following task failed:\n - id {task.id}: task failed\n"

    # Reports.

    def _status(self, a: Any) -> Output:
        with self._engine.lock:
            return _dump(report.status(self._model), a.format)

    def _show_unit(self, a: Any) -> Output:
        with self._engine.lock:
            shown = {n: report.unit(self._model, self._unit(n)) for n in a.units}
            return _dump(shown, a.format)

    def _show_model(self, a: Any) -> Output:
        return _dump({self._model.name: report.model_info(self._model)}, a.format)

    def _debug_log(self, a: Any) -> Output:
        entries = self._engine.timeline.entries("log", "hook")
        limit = int(a.limit or 0)
        return "".join(f"{e.subject}: {e.text}\n" for e in entries[-limit:])

    def _version(self, a: Any) -> Output:
        version = f"{self._model.juju_version}-ubuntu-amd64"
        return _dump({"version": version}, a.format) if a.all else f"{version}\n"


def _seconds(duration: str) -> float:
    """A duration as Go writes it, such as 90s or 1m30s."""
    parts = re.findall(r"([0-9.]+)(ms|h|m|s)", duration)
    if not parts or "".join(n + unit for n, unit in parts) != duration:
        raise CommandError(f'invalid duration "{duration}"')
    return sum(float(n) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit] for n, unit in parts)


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


def _secret_file(path: str | None) -> dict[str, str]:
    loaded = yaml.safe_load(Path(path).read_text()) if path else None
    if not isinstance(loaded, dict) or not loaded:
        raise CommandError("a secret needs a --file with keys and values")
    return {str(k): str(v) for k, v in cast("dict[Any, Any]", loaded).items()}


def _dump(value: Any, style: str) -> str:
    if style == "json":
        return json.dumps(value) + "\n"
    return yaml.safe_dump(value, sort_keys=False)
