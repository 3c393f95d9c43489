"""Which accounts share keys or channels with accounts of other relations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from valkey_client import KeyPrefix

from .accounts import Account


@dataclass
class _PrefixNode:
    """All accounts whose prefixes have the same literal part.

    Attributes:
        above: Relations whose open prefixes begin this one; two of them are enough.
        below: Relations here and at nodes whose literal begins with this one; two are enough.
    """

    literal: str
    accounts: list[tuple[Account, KeyPrefix]] = field(
        default_factory=list[tuple[Account, KeyPrefix]]
    )
    above: set[int] = field(default_factory=set[int])
    below: set[int] = field(default_factory=set[int])


def overlapping(accounts: Iterable[Account]) -> frozenset[str]:
    """The names of accounts that share a key or channel with an account of another relation.

    Databases do not matter: channels are the same in all of them. It takes time in proportion to
    the number of accounts, however many of them share.
    """
    present = tuple(accounts)
    literals = sorted(account.prefix.removesuffix("*") for account in present)
    if not any(longer.startswith(shorter) for shorter, longer in pairwise(literals)):
        # Sorted texts between a literal and a longer one that begins with it begin with it too.
        return frozenset()
    nodes: dict[str, _PrefixNode] = {}
    for account in present:
        prefix = KeyPrefix.parse(account.prefix)
        node = nodes.setdefault(prefix.literal, _PrefixNode(prefix.literal))
        node.accounts.append((account, prefix))
    parents: list[_PrefixNode] = []
    for _, node in sorted(nodes.items()):
        while parents and not node.literal.startswith(parents[-1].literal):
            _leave(parents)
        _enter(node, parents[-1] if parents else None)
        parents.append(node)
    while parents:
        _leave(parents)
    return frozenset(name for node in nodes.values() for name in _shared(node))


def _enter(node: _PrefixNode, parent: _PrefixNode | None) -> None:
    here = {account.relation_id for account, prefix in node.accounts if prefix.is_open}
    node.above = _at_most_two(here | (parent.above if parent else set()))
    node.below = _at_most_two({account.relation_id for account, _ in node.accounts})


def _leave(parents: list[_PrefixNode]) -> None:
    node = parents.pop()
    if parents:
        parents[-1].below = _at_most_two(parents[-1].below | node.below)


def _at_most_two(relations: set[int]) -> set[int]:
    """At most two of them: for any relation, one of two is another relation."""
    return set(sorted(relations)[:2])


def _shared(node: _PrefixNode) -> Iterator[str]:
    names = _at_most_two({account.relation_id for account, _ in node.accounts})
    for account, prefix in node.accounts:
        near = node.above | (node.below if prefix.is_open else names)
        if near - {account.relation_id}:
            yield account.name


def sharers(account: Account, accounts: Iterable[Account]) -> list[Account]:
    """The accounts of other relations that share a key or channel with this one."""
    prefix = KeyPrefix.parse(account.prefix)
    return [
        other
        for other in accounts
        if other.relation_id != account.relation_id
        and prefix.overlaps(KeyPrefix.parse(other.prefix))
    ]
