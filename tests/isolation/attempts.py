"""What is tried: calls made from a command's own description, for a given owner of what it names."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from .table import Argument, Command
from .wire import Words


class Owner(str, Enum):
    """Whose key or channel an argument names. All have equally long names."""

    OWN = "app"
    OTHER = "web"
    NOBODY = "nil"


TYPES = ("string", "hash", "list", "set", "zset", "stream", "geo", "hll")
"""The keys that every tenant has: ``web:hash`` and so on."""

_TYPE_OF_GROUP = {
    "sorted-set": "zset",
    "hyperloglog": "hll",
    **{name: name for name in ("string", "hash", "list", "set", "stream", "geo")},
}
_TYPE_OF_COMMAND = {"sort": "list", "sort_ro": "list"}


@dataclass(frozen=True)
class Target:
    """What attempts are aimed at, beside keys and channels.

    Attributes:
        client_id: The other tenant's blocked connection.
        address: The address of another of its connections, as ``host:port``.
        account: The other tenant's account.
        closed_port: A port of this machine on which nobody listens.
        script: The digests of each owner's script; nobody's is of no script.
        primary: The name under which the Sentinel knows the primary.
        database: A database that the account may use.
    """

    client_id: str
    address: str
    account: str
    closed_port: str
    script: dict[Owner, str]
    primary: str = "primary"
    database: str = "1"

    def values(self) -> dict[str, str]:
        """The texts for arguments of a known name; any other gets ``1``."""
        return {
            "addr": self.address,
            "address": self.address,
            "arg": "web:string",
            "command": "GET",
            "cursor": "0",
            "digest": self.script[Owner.OTHER],
            "client-id": self.client_id,
            "db": self.database,
            "destination-db": self.database,
            "index": self.database,
            "function": "theirs",
            "function-code": "#!lua name=evil\nredis.register_function('evil', function() end)",
            "group": "group",
            "host": "127.0.0.1",
            "ip": "127.0.0.1",
            "ip:port": self.address,
            "laddr": self.address,
            "library-name": "theirs",
            "parameter": "maxmemory",
            "path": "/nonexistent.so",
            "prefix": "web:",
            "port": self.closed_port,
            "primary-name": self.primary,
            "replicaof": self.closed_port,
            "rule": "allkeys",
            "script": "return redis.call('GET', KEYS[1] or 'web:string')",
            "serialized-value": "junk",
            "timeout": "0.01",
            "username": self.account,
        }


@dataclass(frozen=True)
class Part:
    """One word of a call: a text, or a placeholder that the owner fills."""

    kind: str
    text: str


Shape = tuple[Part, ...]

_HOLES = ("key", "channel", "pattern", "script")
_NAMED = re.compile(r"\{([a-z:-]+)\}")
_UNTRUE = ("0", "-1", "99")
"""Numbers of keys that are not the number of keys."""
_ALL = "1000"
"""More than the server holds: SCAN walks its keys in an order of its own."""


@dataclass(frozen=True)
class Attempt:
    """A call.

    Attributes:
        words: The call itself.
        crosses: Whether it names a key or channel of the other tenant, or a pattern of channels.
        twin: The same call where what it names of others does not exist. Its answer must be the
            same, or the account could find out what exists. None if it names nothing of others.
    """

    words: Words
    crosses: bool = False
    twin: Words | None = None


def attempts(command: Command, target: Target) -> Iterator[Attempt]:
    """Calls with every option by itself, and with every name of another owner by itself."""
    seen: set[Words] = set()
    for shape in _shapes(command, target):
        for owners in _owners(shape):
            attempt = _attempt(command, shape, owners, target)
            if attempt.words not in seen:
                seen.add(attempt.words)
                yield attempt


def _attempt(command: Command, shape: Shape, owners: list[Owner], target: Target) -> Attempt:
    words = _fill(command, shape, owners, target)
    kinds = [part.kind for part in shape if part.kind in _HOLES]
    others = {kind for kind, owner in zip(kinds, owners) if owner is Owner.OTHER}
    if not others:
        return Attempt(words)
    guarded = {"key", "channel"} | ({"pattern"} if command.group == "pubsub" else set())
    nobody = [Owner.NOBODY if owner is Owner.OTHER else owner for owner in owners]
    return Attempt(
        words,
        crosses=bool(others & guarded),
        twin=_fill(command, shape, nobody, target),
    )


def _shapes(command: Command, target: Target) -> Iterator[Shape]:
    values = target.values()
    least = abs(command.arity) - len(command.words)
    for shape in _sequence(command.arguments, values):
        # Where the server does not say what it takes, anything but too little will do.
        yield shape + (Part("text", "1"),) * max(0, least - len(shape))
        for place, part in enumerate(shape):
            if part.kind == "numkeys":
                for number in _UNTRUE:
                    yield (*shape[:place], Part("text", number), *shape[place + 1 :])


def _sequence(arguments: Iterable[Argument], values: dict[str, str]) -> list[Shape]:
    """The plainest call first, then each alternative of each argument by itself."""
    choices = [_choices(argument, values) for argument in arguments]
    plain = [choice[0] for choice in choices]
    shapes = [_join(plain)]
    for place, choice in enumerate(choices):
        shapes += [_join([*plain[:place], other, *plain[place + 1 :]]) for other in choice[1:]]
    return shapes


def _choices(argument: Argument, values: dict[str, str]) -> list[Shape]:
    match argument.type:
        case "oneof":
            shapes = [shape for child in argument.children for shape in _choices(child, values)]
        case "block":
            shapes = _sequence(argument.children, values)
        case "pure-token":
            shapes = [()]
        case _ if argument.token == "COUNT":
            shapes = [(Part("text", _ALL),)]
        case _:
            shapes = [(_part(argument, values),)]
    if argument.token is not None:
        shapes = [(Part("text", argument.token), *shape) for shape in shapes]
    if argument.multiple:
        shapes = [*shapes, shapes[0] * 2]
    return [(), *shapes] if argument.optional else shapes


def _part(argument: Argument, values: dict[str, str]) -> Part:
    name = argument.name
    match argument.type:
        case "key" | "pattern" as kind:
            return Part(kind, name)
        case "unix-time":
            return Part("text", "99999999999")
        case _:
            pass
    if name in {"channel", "shardchannel"}:
        return Part("channel", name)
    if name == "sha1":
        return Part("script", name)
    if name == "numkeys":
        return Part("numkeys", name)
    if name == "timeout" and argument.type == "integer":
        return Part("text", "1")
    return Part("text", values.get(name, "1"))


def _owners(shape: Shape) -> Iterator[list[Owner]]:
    count = sum(part.kind in _HOLES for part in shape)
    own = [Owner.OWN] * count
    yield own
    for place in range(count):
        yield [*own[:place], Owner.OTHER, *own[place + 1 :]]
    if count > 1:
        yield [Owner.OTHER] * count


def _fill(command: Command, shape: Shape, owners: list[Owner], target: Target) -> Words:
    kind_of_key = _TYPE_OF_COMMAND.get(command.name) or _TYPE_OF_GROUP.get(command.group, "string")
    left = iter(owners)
    words = list(command.words)
    for place, part in enumerate(shape):
        match part.kind:
            case "key":
                words.append(f"{next(left).value}:{kind_of_key}")
            case "channel":
                words.append(f"{next(left).value}:channel")
            case "pattern":
                words.append(f"{next(left).value}:*")
            case "script":
                words.append(target.script[next(left)])
            case "numkeys":
                words.append(str(sum(later.kind == "key" for later in shape[place + 1 :])))
            case _:
                words.append(part.text)
    return tuple(words)


def _join(shapes: Iterable[Shape]) -> Shape:
    return tuple(part for shape in shapes for part in shape)


def written(line: str, target: Target) -> tuple[Words, ...]:
    """The calls of a line: ``;`` parts calls, quotes are a shell's, ``{name}`` is filled in.

    Names are those of :meth:`Target.values`.
    """
    values = target.values()
    calls: list[list[str]] = [[]]
    for word in shlex.split(line):
        if word == ";":
            calls.append([])
        else:
            calls[-1].append(_NAMED.sub(lambda match: values[match[1]], word))
    return tuple(map(tuple, calls))


def hidden(words: Words) -> Iterator[tuple[Words, ...]]:
    """The same call by way of a script that does not say which keys it uses, and of MULTI."""
    yield (("EVAL", "return redis.call(unpack(ARGV))", "0", *words),)
    yield (("MULTI",), words, ("EXEC",))
