"""The peer relation: its databags as records. Writes only what differs.

Units of two releases live side by side during a refresh, so each reads what the other writes:
``format`` says which release wrote a databag, and a key keeps its meaning for good.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

import ops

from .model.peer_data import DataReport, Peer, RestartNeed, SharedState
from .model.published_topology import PublishedTopology
from .model.tls_policy import TlsPolicy, UnitTlsReport
from .rules.accounts import Account

FORMAT = "1"
"""The format of both databags; the first release of the charm wrote none.

In its unit databags ``started`` was a random text instead of the number of starts.
"""


class Peers:
    """The peer relation of this unit.

    Args:
        charm: The charm.
        endpoint: The name of the peer relation.
    """

    def __init__(self, charm: ops.CharmBase, endpoint: str):
        self._charm = charm
        self.endpoint = endpoint

    @property
    def relation(self) -> ops.Relation | None:
        """The relation, None before it was created."""
        return self._charm.model.get_relation(self.endpoint)

    @property
    def unit(self) -> str:
        """The name of this unit."""
        return self._charm.unit.name

    def shared(self) -> SharedState:
        """What the leader wrote last; empty before it has written anything."""
        relation = self.relation
        return _read_shared(relation.data[self._charm.app]) if relation else SharedState()

    def update_shared(self, shared: SharedState) -> None:
        """Write what all units must know, as the leader."""
        if relation := self.relation:
            relation.data[self._charm.app].update(_write_shared(shared))

    def all(self) -> tuple[Peer, ...]:
        """All units that have published an address, this one included, in order of numbers."""
        relation = self.relation
        if relation is None:
            return ()
        peers = [
            _read_peer(unit.name, bag)
            for unit in (self._charm.unit, *relation.units)
            if (bag := relation.data[unit]).get("address")
        ]
        return tuple(sorted(peers, key=lambda peer: peer.number))

    def own(self) -> Peer:
        """What this unit has published; its address is empty if nothing."""
        relation = self.relation
        bag: Mapping[str, str] = relation.data[self._charm.unit] if relation else {}
        return _read_peer(self.unit, bag)

    def publish_unit(self, peer: Peer) -> None:
        """Write this unit's databag."""
        if relation := self.relation:
            relation.data[self._charm.unit].update(_write_peer(peer))


def _read_peer(unit: str, bag: Mapping[str, str]) -> Peer:
    return Peer(
        unit,
        bag.get("address", ""),
        generation=_read_generation(bag.get("started", "")),
        config_digest=bag.get("wanted", ""),
        restart_need=_read_restart_need(bag.get("needs-restart", "")),
        memory=int(bag.get("memory") or "0"),
        tls=UnitTlsReport.read(bag.get("tls", "")),
        data=DataReport.read(bag.get("data", "")),
    )


def _write_peer(peer: Peer) -> dict[str, str]:
    return {
        "format": FORMAT,
        "address": peer.address,
        "started": str(peer.generation) if peer.started else "",
        "memory": str(peer.memory),
        "wanted": peer.config_digest,
        "needs-restart": peer.restart_need.value,
        "tls": peer.tls.text(),
        "data": peer.data.text() if peer.data else "",
    }


def _read_generation(text: str) -> int:
    # The first release wrote a random text: such a unit has started, how often is unknown.
    return int(text) if text.isdecimal() and len(text) < 8 else int(bool(text))


def _read_restart_need(text: str) -> RestartNeed:
    try:
        return RestartNeed(text)
    except ValueError:
        return RestartNeed.NONE  # Of a later release.


def _read_shared(bag: Mapping[str, str]) -> SharedState:
    return SharedState(
        secret=bag.get("secret", ""),
        first_unit=bag.get("first-unit", ""),
        first_primary=bag.get("first-primary", ""),
        epoch=int(bag.get("epoch") or "0"),
        restarting_unit=bag.get("turn", ""),
        accounts={
            name: _read_account(name, entry)
            for name, entry in _load(bag.get("accounts", "")).items()
        },
        pending=frozenset(json.loads(bag.get("pending") or "[]")),
        published=PublishedTopology.read(bag.get("published", "")),
        databases=_load(bag.get("databases", "")),
        tls=TlsPolicy.read(bag),
    )


def _write_shared(shared: SharedState) -> dict[str, str]:
    accounts = {name: _write_account(account) for name, account in shared.accounts.items()}
    return {
        "format": FORMAT,
        "secret": shared.secret,
        "first-unit": shared.first_unit,
        "first-primary": shared.first_primary,
        "epoch": str(shared.epoch) if shared.epoch else "",
        "turn": shared.restarting_unit,
        "accounts": _dump(accounts),
        "pending": json.dumps(sorted(shared.pending)) if shared.pending else "",
        "published": shared.published.text() if shared.published else "",
        "databases": _dump(shared.databases),
        **shared.tls.entries(),
    }


def _load(text: str) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(text or "{}"))


def _dump(entries: Mapping[str, Any]) -> str:
    return json.dumps(entries, sort_keys=True) if entries else ""


def _read_account(name: str, entry: Mapping[str, Any]) -> Account:
    known = {field.name for field in fields(Account)} - {"name"}
    values = {key: value for key, value in entry.items() if key in known}
    values["channel_patterns"] = tuple(values.get("channel_patterns", ()))
    return Account(name=name, **values)


def _write_account(account: Account) -> dict[str, Any]:
    """The fields that differ from their defaults; the name is the key."""
    return {
        field.name: value
        for field in fields(account)
        if field.name != "name" and (value := getattr(account, field.name)) != field.default
    }
