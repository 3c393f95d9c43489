"""The hook commands: their command lines, their output, their error texts."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

import yaml

from .errors import ToolError
from .hook import Hook
from .server import Call
from .state import Secret

Tool = Callable[[Hook, "Arguments", str], Any]


class Arguments(argparse.Namespace):
    """What a command line said."""

    rest: list[str]
    directory: Path

    def path(self, name: str) -> Path:
        """A file that the caller named, from where it stands."""
        return self.directory / name

    def text(self, name: str) -> str:
        """An option's value, empty if it was not given."""
        value = getattr(self, name, None)
        return value if isinstance(value, str) else ""

    def flag(self, name: str) -> bool:
        """Whether a boolean option was given, in any of Go's spellings."""
        value = getattr(self, name, False)
        return value is True or str(value).lower() in {"true", "t", "1"}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ToolError(f"ERROR {message}")


def _parser(name: str, *options: str, flags: Sequence[str] = ()) -> _Parser:
    parser = _Parser(prog=name, add_help=False, allow_abbrev=False)
    parser.add_argument("--format", default="smart")
    for option in options:
        spellings = option.split()
        dest = spellings[-1].lstrip("-").replace("-", "_")
        parser.add_argument(*spellings, dest=dest, default=None)
    for flag in flags:
        dest = flag.lstrip("-").replace("-", "_")
        parser.add_argument(flag, dest=dest, nargs="?", const=True, default=False)
    return parser


def _flagged(arguments: Sequence[str], parser: _Parser) -> tuple[Arguments, list[str]]:
    """Parse Go style: a flag takes a value only behind ``=``, and ``--`` ends the options."""
    known: list[str] = []
    rest: list[str] = []
    actions = {s: action for action in parser._actions for s in action.option_strings}  # noqa: SLF001
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest.extend(words)
            break
        name, equals, value = word.partition("=")
        action = actions.get(name) or actions.get(name.replace("--", "-", 1))
        if not word.startswith("-") or word == "-" or action is None:
            if word.startswith("--"):
                raise ToolError(f"ERROR option provided but not defined: {word}")
            rest.append(word)
            continue
        spelling = action.option_strings[0]
        if action.nargs == "?":
            known.append(f"{spelling}={value}" if equals else spelling)
        else:
            known.append(f"{spelling}={value if equals else next(words, '')}")
    return parser.parse_args(known, Arguments()), rest


def _relation_get(hook: Hook, a: Arguments, _: str) -> Any:
    relation = hook.relation(a.relation)
    key = a.rest[0] if a.rest else "-"
    default = hook.event.remote_app if a.flag("app") else hook.event.remote_unit
    owner = a.rest[1] if len(a.rest) > 1 else default
    if a.flag("app"):
        owner = owner.partition("/")[0]
    if not owner:
        raise ToolError("ERROR no unit or application specified")
    bag = hook.read_databag(relation, owner)
    return bag if key == "-" else bag.get(key)


def _relation_set(hook: Hook, a: Arguments, stdin: str) -> None:
    relation = hook.relation(a.relation)
    values = _pairs(a.rest)
    if a.text("file"):
        text = stdin if a.file == "-" else a.path(a.file).read_text()
        values = {**_mapping(text), **values}
    hook.write_databag(relation, hook.unit.app if a.flag("app") else hook.unit.name, values)


def _relation_ids(hook: Hook, a: Arguments, _: str) -> Any:
    return hook.relation_ids(a.rest[0] if a.rest else hook.event.hook.partition("-relation-")[0])


def _relation_list(hook: Hook, a: Arguments, _: str) -> Any:
    relation = hook.relation(a.relation)
    return relation.other(hook.unit.app).app if a.flag("app") else hook.relation_list(relation)


def _relation_model_get(hook: Hook, a: Arguments, _: str) -> Any:
    hook.relation(a.relation)
    return {"uuid": hook.model.uuid}


def _secret_fields(a: Arguments) -> dict[str, str]:
    names = ("label", "description", "rotate", "expire")
    return {name: a.text(name) for name in names if a.text(name)}


def _secret_add(hook: Hook, a: Arguments, _: str) -> Any:
    content = _secret_content(a)
    return hook.add_secret(content, a.text("owner") or "application", _secret_fields(a))


def _secret_set(hook: Hook, a: Arguments, _: str) -> None:
    uri, *a.rest = a.rest or [""]
    hook.set_secret(hook.owned_secret(uri), _secret_content(a), _secret_fields(a))


def _secret_get(hook: Hook, a: Arguments, _: str) -> Any:
    uri = a.rest[0] if a.rest else ""
    if not uri and not a.text("label"):
        raise ToolError("ERROR either URI or label should be used to get a secret")
    content = hook.read_secret(
        uri, a.text("label"), refresh=a.flag("refresh"), peek=a.flag("peek")
    )
    return content.get(a.rest[1]) if len(a.rest) > 1 else content


def _secret_info_get(hook: Hook, a: Arguments, _: str) -> Any:
    uri = a.rest[0] if a.rest else ""
    if bool(uri) == bool(a.text("label")):
        raise ToolError("ERROR either URI or label should be used to get a secret")
    secret = hook.owned_secret(uri, a.text("label"))
    return {secret.id: _secret_info(secret)}


def _secret_info(secret: Secret) -> dict[str, Any]:
    info: dict[str, Any] = {
        "revision": secret.latest,
        "label": secret.label,
        "owner": "unit" if "/" in secret.owner else "application",
        "rotation": secret.rotate or "never",
        "access": [
            {"target": f"application-{t}", "scope": f"relation-{r}", "role": "view"}
            for t, r in secret.grants.items()
        ],
    }
    if secret.description:
        info["description"] = secret.description
    if secret.expire:
        info["expiry"] = secret.expire
    return info


def _secret_ids(hook: Hook, _a: Arguments, _: str) -> Any:
    owners = {hook.unit.name} | ({hook.unit.app} if hook.is_leader else set[str]())
    return sorted(s.id for s in hook.model.secrets.values() if s.owner in owners)


def _secret_grant(hook: Hook, a: Arguments, _: str) -> None:
    relation = hook.relation(a.relation)
    hook.grant_secret(hook.owned_secret(a.rest[0]), relation, a.text("unit"))


def _secret_revoke(hook: Hook, a: Arguments, _: str) -> None:
    secret = hook.owned_secret(a.rest[0])
    target = a.text("unit") or a.text("app")
    if not target:
        target = hook.relation(a.relation).other(hook.unit.app).app
    hook.revoke_secret(secret, target)


def _secret_remove(hook: Hook, a: Arguments, _: str) -> None:
    revision = a.text("revision")
    secret = hook.owned_secret(a.rest[0])
    hook.remove_secret(secret, int(revision) if revision else None)


def _secret_content(a: Arguments) -> dict[str, str]:
    content = _pairs([word for word in a.rest if "#file=" not in word])
    for word in a.rest:
        key, marker, path = word.partition("#file=")
        if marker:
            content[key] = a.path(path).read_text()
    if a.text("file"):
        content.update(_mapping(a.path(a.file).read_text()))
    return content


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
    def shown(status: str, message: str) -> dict[str, Any]:
        return {"status": status, "message": message, "status-data": {}}

    if not a.flag("application"):
        return shown(hook.unit.workload.status, hook.unit.workload.message)
    if not hook.is_leader:
        raise ToolError("ERROR finding application status: this unit is not the leader")
    app = hook.model.applications[hook.unit.app]
    units = {n: shown(u.workload.status, u.workload.message) for n, u in app.units.items()}
    status = shown(app.status.status, app.status.message)
    return {"application-status": {**status, "units": units}}


def _juju_log(hook: Hook, a: Arguments, _: str) -> None:
    level = (a.text("log_level") or "INFO").upper()
    hook.timeline.add("log", hook.unit.name, f"{level} {' '.join(a.rest)}")


def _network_get(hook: Hook, a: Arguments, _: str) -> Any:
    endpoint = a.rest[0] if a.rest else ""
    known = hook.model.applications[hook.unit.app].charm.endpoints
    metadata = hook.model.applications[hook.unit.app].charm.metadata
    extra: dict[str, Any] = metadata.get("extra-bindings") or {}
    if endpoint not in known and endpoint not in extra:
        raise ToolError(f'ERROR no network config found for binding "{endpoint}"')
    address = hook.unit.address
    answer: dict[str, Any] = {
        "bind-addresses": [
            {
                "mac-address": "",
                "interface-name": "lo",
                "addresses": [{"hostname": "", "value": address, "cidr": f"{address}/32"}],
            }
        ],
        "egress-subnets": [f"{address}/32"],
        "ingress-addresses": [address],
    }
    for name in ("bind-address", "ingress-address", "egress-subnets"):
        if a.flag(name.replace("-", "_")):
            return {"egress-subnets": f"{address}/32"}.get(name, address)
    return answer


def _unit_get(hook: Hook, _a: Arguments, _: str) -> Any:
    return hook.unit.address


def _open_port(hook: Hook, a: Arguments, _: str) -> None:
    hook.ports = (hook.unit.ports if hook.ports is None else hook.ports) | {_port(a.rest)}


def _close_port(hook: Hook, a: Arguments, _: str) -> None:
    hook.ports = (hook.unit.ports if hook.ports is None else hook.ports) - {_port(a.rest)}


def _port(rest: Sequence[str]) -> str:
    text = rest[0] if rest else ""
    return text if "/" in text or text == "icmp" else f"{text}/tcp"


def _opened_ports(hook: Hook, _a: Arguments, _: str) -> Any:
    return sorted(hook.unit.ports if hook.ports is None else hook.ports)


def _state_get(hook: Hook, a: Arguments, _: str) -> Any:
    state = {**hook.unit.state, **hook.state}
    return state.get(a.rest[0], "") if a.rest and a.rest[0] != "-" else state


def _state_set(hook: Hook, a: Arguments, stdin: str) -> None:
    values = _pairs(a.rest)
    if a.text("file"):
        values.update(_mapping(stdin if a.file == "-" else a.path(a.file).read_text()))
    hook.state.update(values)


def _state_delete(hook: Hook, a: Arguments, _: str) -> None:
    hook.state[a.rest[0]] = ""


def _storage_list(hook: Hook, a: Arguments, _: str) -> Any:
    return [s for s in sorted(hook.unit.storages) if not a.rest or s.startswith(f"{a.rest[0]}/")]


def _storage_get(hook: Hook, a: Arguments, _: str) -> Any:
    storage = a.text("s") or hook.event.storage_id
    if storage not in hook.unit.storages:
        raise ToolError(f'ERROR invalid value "{storage}" for option -s: storage not found')
    answer = {"kind": "filesystem", "location": hook.unit.storages[storage]}
    return answer.get(a.rest[0]) if a.rest else answer


def _action(hook: Hook) -> Any:
    if hook.task is None:
        raise ToolError("ERROR not running an action")
    return hook.task


def _action_get(hook: Hook, a: Arguments, _: str) -> Any:
    value: Any = _action(hook).parameters
    for part in a.rest[0].split(".") if a.rest else ():
        value = value.get(part) if hasattr(value, "get") else None
    return value


def _action_set(hook: Hook, a: Arguments, _: str) -> None:
    for key, value in _pairs(a.rest).items():
        target = _action(hook).results
        *parents, leaf = key.split(".")
        for parent in parents:
            target = target.setdefault(parent, {})
        target[leaf] = value


def _action_fail(hook: Hook, a: Arguments, _: str) -> None:
    task = _action(hook)
    task.status = "failed"
    task.message = (
        " ".join(a.rest) or "action failed without reason given, check action for errors"
    )


def _action_log(hook: Hook, a: Arguments, _: str) -> None:
    _action(hook).log.append(" ".join(a.rest))


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


def _unsupported(_hook: Hook, _a: Arguments, _: str) -> None:
    raise ToolError("ERROR not supported by localjuju")


_RELATION = "-r --relation"
TOOLS: dict[str, tuple[_Parser, Tool]] = {
    "action-fail": (_parser("action-fail"), _action_fail),
    "action-get": (_parser("action-get"), _action_get),
    "action-log": (_parser("action-log"), _action_log),
    "action-set": (_parser("action-set"), _action_set),
    "application-version-set": (_parser("application-version-set"), _version_set),
    "close-port": (_parser("close-port", "--endpoints"), _close_port),
    "config-get": (_parser("config-get", flags=["--all"]), _config_get),
    "credential-get": (_parser("credential-get"), _unsupported),
    "goal-state": (_parser("goal-state"), _goal_state),
    "is-leader": (_parser("is-leader"), _is_leader),
    "juju-log": (_parser("juju-log", "-l --log-level", flags=["--debug"]), _juju_log),
    "juju-reboot": (_parser("juju-reboot", flags=["--now"]), _unsupported),
    "network-get": (
        _parser(
            "network-get",
            _RELATION,
            flags=["--bind-address", "--ingress-address", "--egress-subnets"],
        ),
        _network_get,
    ),
    "open-port": (_parser("open-port", "--endpoints"), _open_port),
    "opened-ports": (_parser("opened-ports", flags=["--endpoints"]), _opened_ports),
    "relation-get": (_parser("relation-get", _RELATION, flags=["--app"]), _relation_get),
    "relation-ids": (_parser("relation-ids"), _relation_ids),
    "relation-list": (_parser("relation-list", _RELATION, flags=["--app"]), _relation_list),
    "relation-model-get": (_parser("relation-model-get", _RELATION), _relation_model_get),
    "relation-set": (_parser("relation-set", _RELATION, "--file", flags=["--app"]), _relation_set),
    "resource-get": (_parser("resource-get"), _unsupported),
    "secret-add": (
        _parser(
            *(
                "secret-add",
                "--label",
                "--description",
                "--expire",
                "--rotate",
                "--owner",
                "--file",
            )
        ),
        _secret_add,
    ),
    "secret-get": (_parser("secret-get", "--label", flags=["--refresh", "--peek"]), _secret_get),
    "secret-grant": (_parser("secret-grant", _RELATION, "--unit"), _secret_grant),
    "secret-ids": (_parser("secret-ids"), _secret_ids),
    "secret-info-get": (_parser("secret-info-get", "--label"), _secret_info_get),
    "secret-remove": (_parser("secret-remove", "--revision"), _secret_remove),
    "secret-revoke": (_parser("secret-revoke", _RELATION, "--app", "--unit"), _secret_revoke),
    "secret-set": (
        _parser(
            *(
                "secret-set",
                "--label",
                "--description",
                "--expire",
                "--rotate",
                "--owner",
                "--file",
            )
        ),
        _secret_set,
    ),
    "state-delete": (_parser("state-delete"), _state_delete),
    "state-get": (_parser("state-get"), _state_get),
    "state-set": (_parser("state-set", "--file"), _state_set),
    "status-get": (
        _parser("status-get", flags=["--application", "--include-data"]),
        _status_get,
    ),
    "status-set": (_parser("status-set", flags=["--application"]), _status_set),
    "storage-add": (_parser("storage-add"), _unsupported),
    "storage-get": (_parser("storage-get", "-s"), _storage_get),
    "storage-list": (_parser("storage-list"), _storage_list),
    "unit-get": (_parser("unit-get"), _unit_get),
}
"""Every hook command that a charm may run."""


def run(hook: Hook, call: Call) -> str:
    """Carry out a hook command.

    Returns:
        What it prints.

    Raises:
        ToolError: If it fails; the text is what it prints on standard error.
    """
    name = call.name
    parser, tool = TOOLS[name]
    hook.calls.append(name)
    parsed, parsed.rest = _flagged(call.arguments, parser)
    parsed.directory = call.directory
    try:
        answer = tool(hook, parsed, call.stdin)
    except (OSError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise ToolError(f"ERROR {name}: {error}") from None
    return _format(answer, parsed.format)


def _format(answer: Any, style: str) -> str:
    if answer is None:
        return "null\n" if style == "json" else ""
    if style == "json":
        return json.dumps(answer) + "\n"
    if style == "smart" and isinstance(answer, str):
        return answer + "\n"
    if style == "smart" and isinstance(answer, (bool, int, float)):
        return f"{answer}\n"
    if style == "smart" and isinstance(answer, list):
        return "".join(f"{line}\n" for line in cast("list[Any]", answer))
    return yaml.safe_dump(answer, sort_keys=True).removesuffix("...\n")


def _pairs(words: Sequence[str]) -> dict[str, str]:
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def _mapping(text: str) -> dict[str, str]:
    try:
        # ops sends JSON, whose surrogate pairs YAML would take apart.
        loaded = json.loads(text or "{}")
    except ValueError:
        loaded = yaml.load(text, Loader=_STRINGS)  # noqa: S506 - makes strings and nothing else
    if not isinstance(loaded, dict):
        raise ToolError("ERROR expected a mapping")
    items = cast("dict[Any, Any]", loaded).items()
    return {str(key): "" if value is None else str(value) for key, value in items}


_STRINGS = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
