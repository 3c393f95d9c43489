"""What the units of the application tell each other, typed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

import ops

from .accounts import Account
from .tls.peer import PeerTls, Word


@dataclass(frozen=True)
class Peer:
    """One unit's databag.

    Attributes:
        unit: Its name.
        address: Where its server and Sentinel listen.
        started: Whether both have been started with the accounts of their time.
        wanted: A digest of what they shall be started with.
        needs_restart: Whether they were started with something else, and wait for their turn.
        memory: The memory of its machine or container, in bytes; 0 if it has not told.
        sentinel_is_late: Whether its Sentinel alone has to be started again, in its turn.
        tls: What it tells of its certificates.
    """

    unit: str
    address: str
    started: bool = False
    wanted: str = ""
    needs_restart: bool = False
    memory: int = 0
    sentinel_is_late: bool = False
    tls: PeerTls = field(default_factory=PeerTls)


@dataclass(frozen=True)
class Shared:
    """The application's databag, written by the leader.

    Attributes:
        secret: URI of the secret with the passwords of the internal accounts.
        first_primary: The address that was primary when the leader last looked; it counts as
            long as no Sentinel knows better.
        epoch: The number of the failover that made it primary.
        turn: The unit that may start its servers again; see :mod:`valkey_operator.turns`.
        accounts: The client accounts that shall exist, by name.
        pending: Relations with requests that wait for the cluster.
        published: What all clients were told last, as :func:`topology_text` writes it.
        databases: Whose database each is, for good; see :mod:`valkey_operator.databases`.
        tls: Whether servers speak TLS, and whom they trust.
    """

    secret: str = ""
    first_primary: str = ""
    epoch: int = 0
    turn: str = ""
    accounts: Mapping[str, Account] = field(default_factory=dict[str, Account])
    pending: frozenset[int] = frozenset()
    published: str = ""
    databases: Mapping[str, int] = field(default_factory=dict[str, int])
    tls: Word = field(default_factory=Word)


class Peers:
    """The peer relation of this unit.

    Args:
        charm: The charm.
        endpoint: The name of the peer relation.
    """

    def __init__(self, charm: ops.CharmBase, endpoint: str):
        self._charm = charm
        self._endpoint = endpoint

    @property
    def relation(self) -> ops.Relation | None:
        """The relation, None before it was created."""
        return self._charm.model.get_relation(self._endpoint)

    @property
    def unit(self) -> str:
        """The name of this unit."""
        return self._charm.unit.name

    def shared(self) -> Shared:
        """What the leader tells."""
        relation = self.relation
        if relation is None:
            return Shared()
        bag = relation.data[self._charm.app]
        return Shared(
            secret=bag.get("secret", ""),
            first_primary=bag.get("first-primary", ""),
            epoch=int(bag.get("epoch", "0")),
            turn=bag.get("turn", ""),
            accounts={
                name: _read_account(name, entry)
                for name, entry in _load(bag.get("accounts", "{}")).items()
            },
            pending=frozenset(json.loads(bag.get("pending", "[]"))),
            published=bag.get("published", ""),
            databases=_load(bag.get("databases", "{}")),
            tls=Word.read(bag),
        )

    def share(self, shared: Shared) -> None:
        """Tell the other units, as the leader. Writes only what differs."""
        relation = self.relation
        if relation is None:
            return
        accounts = {name: _write_account(account) for name, account in shared.accounts.items()}
        relation.data[self._charm.app].update(
            {
                "secret": shared.secret,
                "first-primary": shared.first_primary,
                "epoch": str(shared.epoch) if shared.epoch else "",
                "turn": shared.turn,
                "accounts": json.dumps(accounts, sort_keys=True) if accounts else "",
                "pending": json.dumps(sorted(shared.pending)) if shared.pending else "",
                "published": shared.published,
                "databases": json.dumps(shared.databases, sort_keys=True)
                if shared.databases
                else "",
                **shared.tls.entries(),
            }
        )

    def all(self) -> tuple[Peer, ...]:
        """All units that have told their address, this one included, in the order of numbers."""
        relation = self.relation
        if relation is None:
            return ()
        found = [
            Peer(
                unit.name,
                bag["address"],
                started=bool(bag.get("started")),
                wanted=bag.get("wanted", ""),
                needs_restart=bag.get("needs-restart") == "true",
                memory=int(bag.get("memory", "0")),
                sentinel_is_late=bag.get("needs-restart") == "sentinel",
                tls=PeerTls.read(bag.get("tls", "")),
            )
            for unit in (self._charm.unit, *relation.units)
            if (bag := relation.data[unit]).get("address")
        ]
        return tuple(sorted(found, key=lambda peer: int(peer.unit.rpartition("/")[2])))

    def announce(
        self,
        address: str,
        *,
        started: bool,
        memory: int,
        anew: bool = False,
        wanted: str = "",
        needs_restart: bool = False,
        sentinel_is_late: bool = False,
        tls: PeerTls | None = None,
    ) -> None:
        """Tell the other units about this one. Writes only what differs.

        Args:
            address: Where its server and Sentinel listen.
            started: Whether both have been started.
            memory: Of its machine, in bytes.
            anew: Whether one of them was started just now, so that the leader looks at it again.
            wanted: A digest of what they shall be started with.
            needs_restart: Whether they have to be started again, when the leader says so.
            sentinel_is_late: Whether the Sentinel alone has to be.
            tls: What to tell of its certificates.
        """
        relation = self.relation
        if relation is None:
            return
        bag = relation.data[self._charm.unit]
        waits = "true" if needs_restart else "sentinel" if sentinel_is_late else ""
        mark = secrets.token_hex(4) if anew else bag.get("started") or "true"
        bag.update(
            {
                "address": address,
                "started": mark if started else "",
                "memory": str(memory),
                "wanted": wanted,
                "needs-restart": waits,
                "tls": tls.text() if tls else "",
            }
        )


def _load(text: str) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(text))


def _read_account(name: str, entry: dict[str, Any]) -> Account:
    patterns = tuple(entry.pop("channel_patterns", ()))
    return Account(name=name, channel_patterns=patterns, **entry)


def _write_account(account: Account) -> dict[str, Any]:
    """What is not as usual; the name is the key."""
    return {
        field.name: value
        for field in fields(account)
        if field.name != "name" and (value := getattr(account, field.name)) != field.default
    }
