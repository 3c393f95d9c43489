"""The commands for relations."""

from __future__ import annotations

from typing import Any

from ..charm import EndpointSpec
from ..errors import CommandError
from ..model import Relation, RelationEnd
from .arguments import Command, Parser
from .context import Context


def add_relation(context: Context, interface: str, ends: list[RelationEnd]) -> Relation:
    """Add a relation; units are told in their next hooks."""
    relation = Relation(context.model.next_relation, interface, tuple(ends))
    context.model.next_relation += 1
    context.model.relations[relation.id] = relation
    context.engine.timeline.add("model", str(relation), f"relation {relation.id} added")
    return relation


def _integrate(context: Context, a: Any) -> None:
    pair = _match(context, a.one, a.two)
    if _existing(context, *pair):
        raise CommandError(f"{pair[0].app} and {pair[1].app} are related already")
    interface = _endpoint(context, pair[0]).interface
    add_relation(context, interface, list(pair))


def _endpoint(context: Context, end: RelationEnd) -> EndpointSpec:
    return context.app(end.app).charm.endpoints[end.endpoint]


def _candidates(context: Context, name: str) -> list[RelationEnd]:
    app, _, endpoint = name.partition(":")
    endpoints = context.app(app).charm.endpoints
    if endpoint and endpoint not in endpoints:
        raise CommandError(f'application "{app}" has no endpoint "{endpoint}"')
    return [RelationEnd(app, e) for e in ([endpoint] if endpoint else endpoints)]


def _match(context: Context, one: str, two: str) -> tuple[RelationEnd, RelationEnd]:
    pairs = [
        (left, right)
        for left in _candidates(context, one)
        for right in _candidates(context, two)
        if _endpoint(context, left).interface == _endpoint(context, right).interface
        and {_endpoint(context, left).role, _endpoint(context, right).role}
        == {"provides", "requires"}
        and "juju-info" not in {left.endpoint, right.endpoint}
    ]
    if not pairs:
        raise CommandError(f"no relations found between {one} and {two}")
    if len(pairs) > 1:
        raise CommandError(f"ambiguous relation between {one} and {two}; name the endpoints")
    return pairs[0]


def _existing(context: Context, one: RelationEnd, two: RelationEnd) -> Relation | None:
    return next(
        (r for r in context.model.relations.values() if one in r.ends and two in r.ends), None
    )


def _remove_relation(context: Context, a: Any) -> None:
    relations = [
        relation
        for relation in context.model.relations.values()
        for left in _candidates(context, a.one)
        for right in _candidates(context, a.two)
        if not relation.is_peer and left in relation.ends and right in relation.ends
    ]
    if not relations:
        raise CommandError(f"relation {a.one} {a.two} not found")
    context.engine.controller.begin_relation_removal(relations[0])


COMMANDS: dict[str, tuple[Parser, Command]] = {
    "integrate": (Parser("integrate", "one two", "--via"), _integrate),
    "remove-relation": (
        Parser("remove-relation", "one two", flags=["--force"]),
        _remove_relation,
    ),
}
