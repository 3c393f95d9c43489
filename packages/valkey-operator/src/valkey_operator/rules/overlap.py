"""Which accounts share names with those of other relations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from valkey_client import KeyPrefix

from .accounts import Account


@dataclass
class _Place:
    """All accounts whose prefixes have the same literal part.

    Attributes:
        above: Relations whose open prefixes begin this one; two of them are as good as all.
        below: Relations here and at places whose literal begins with this one; likewise.
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
    listed = tuple(accounts)
    literals = sorted(account.prefix.removesuffix("*") for account in listed)
    if not any(longer.startswith(shorter) for shorter, longer in pairwise(literals)):
        return (
            frozenset()
        )  # Whatever stands between a literal and a longer one begins with it too.
    places: dict[str, _Place] = {}
    for account in listed:
        prefix = KeyPrefix.parse(account.prefix)
        place = places.setdefault(prefix.literal, _Place(prefix.literal))
        place.accounts.append((account, prefix))
    parents: list[_Place] = []
    for _, place in sorted(places.items()):
        while parents and not place.literal.startswith(parents[-1].literal):
            _close(parents)
        _open(place, parents[-1] if parents else None)
        parents.append(place)
    while parents:
        _close(parents)
    return frozenset(name for place in places.values() for name in _shared(place))


def _open(place: _Place, parent: _Place | None) -> None:
    here = {account.relation_id for account, prefix in place.accounts if prefix.is_open}
    place.above = _few(here | (parent.above if parent else set()))
    place.below = _few({account.relation_id for account, _ in place.accounts})


def _close(parents: list[_Place]) -> None:
    place = parents.pop()
    if parents:
        parents[-1].below = _few(parents[-1].below | place.below)


def _few(relations: set[int]) -> set[int]:
    """Two of them: whichever relation asks, one of two is another."""
    return set(sorted(relations)[:2])


def _shared(place: _Place) -> Iterator[str]:
    names = _few({account.relation_id for account, _ in place.accounts})
    for account, prefix in place.accounts:
        near = place.above | (place.below if prefix.is_open else names)
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
