"""What a provider's leader calls in each situation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import _charms
from _calls import HookCalls, Recorder
from _tenants import Tenants, v0_bag, v1_bag

from localjuju import Juju
from valkey_operator.servers.cluster import connected
from valkey_operator.servers.switchover import switch_over

APP = "provider"
_PEERS = "valkey-peers"


@dataclass(frozen=True)
class Subject:
    """A provider's charm.

    Attributes:
        name: Of the column that its figures stand in.
        charm: Where it is.
        units: How many of it.
        move: Lets the topology change; the hook in which the leader publishes it follows.
        repeat: Lets the leader look again while nothing has changed.
    """

    name: str
    charm: Path
    units: int
    move: Callable[[Juju], None]
    repeat: Callable[[Juju], None]


@dataclass(frozen=True)
class Count:
    """How much one hook called.

    Attributes:
        situation: In words.
        n: Relations on the endpoint.
        m: Requests in the relation at hand.
        calls: Hook commands, juju-log apart.
    """

    situation: str
    n: int
    m: int
    calls: int


def _configure(juju: Juju) -> None:
    juju.config(APP, {"endpoints": "10.0.0.2:6379"})


def _configure_nothing(juju: Juju) -> None:
    juju.config(APP, {"note": "nothing new"})


def _update_status(juju: Juju) -> None:
    juju.update_status(f"{APP}/0")


def _switch_over(juju: Juju) -> None:
    """Move the primary behind the charm's back; Sentinel wakes the leader, as in a failover."""
    units = juju.status().apps[APP].units
    with connected(admin_password(juju)) as cluster:
        new = switch_over(cluster, cluster.observe(juju.address(unit) for unit in units))
    deadline = time.monotonic() + 30
    while juju.databag(juju.relation_id(APP, _PEERS), APP).get("first-primary") != new:
        if time.monotonic() > deadline:
            raise TimeoutError("the leader does not learn of the new primary")
        time.sleep(0.05)


def admin_password(juju: Juju) -> str:
    """Of the operator's own account on every server."""
    secret = next(s for s in juju.secrets() if s.label == f"{_PEERS}.internal")
    return juju.show_secret(secret.uri, reveal=True).content["admin-password"]


def library(name: str, charm: Path) -> Subject:
    """A library in a minimal charm."""
    return Subject(name, charm, 1, _configure, _configure_nothing)


LIBRARIES = (
    library(_charms.FLOOR, _charms.EMPTY),
    library(_charms.FIELD, _charms.FIELD_PROVIDER),
    library(_charms.OURS, _charms.PROVIDER),
)
OPERATORS = (
    Subject(_charms.FLOOR, _charms.EMPTY, 3, _update_status, _update_status),
    Subject(_charms.OURS, _charms.OPERATOR, 3, _switch_over, _update_status),
)


def count(subject: Subject, n: int) -> Iterator[Count]:
    """Every situation, with ``n`` relations on the endpoint."""
    with _charms.model() as juju:
        _charms.deploy(juju, subject.charm, APP, subject.units)
        tenants = Tenants(juju, APP)
        for number in range(n - 1):
            tenants.add(v1_bag([f"app{number}:*"]), seen=True)
        tenants.serve_all()
        observed = _Observed(juju, n)

        first = tenants.add(v1_bag(["new:*"]))
        yield observed.relation_changed("first request, v1")
        tenants.touch(first)
        yield observed.only("nothing new in a relation", "relation-changed")
        tenants.leave(first)
        yield observed.only("relation broken", "relation-broken")
        first = tenants.add(v0_bag("new:*"))
        yield observed.relation_changed("first request, v0")
        tenants.leave(first)
        observed.rest()
        second = tenants.add(v1_bag(["another:*"]))
        observed.rest()
        subject.move(juju)
        yield observed.most("topology change")
        subject.repeat(juju)
        yield observed.most("the same again, nothing new")
        juju.update_status(f"{APP}/0")
        yield observed.only("update-status, nothing to do", "update-status")
        tenants.ask(second, v1_bag([]))
        yield observed.relation_changed("withdrawal")
        if subject.units > 1:
            _touch_peer(juju)
            yield observed.only("peer change", "relation-changed")


def count_requests(subject: Subject, m: int) -> Count:
    """``m`` requests in the only relation."""
    with _charms.model() as juju:
        _charms.deploy(juju, subject.charm, APP, subject.units)
        observed = _Observed(juju, 1, m)
        Tenants(juju, APP).add(v1_bag([f"app{number}:*" for number in range(m)]))
        return observed.relation_changed("M requests in one relation")


class _Observed:
    """The leader's hooks of a model, counted one situation after the other."""

    def __init__(self, juju: Juju, n: int, m: int = 1):
        self._juju = juju
        self._n = n
        self._m = m
        self._recorder = Recorder(juju)

    def rest(self) -> list[HookCalls]:
        """The hooks of the leader until the model is at rest."""
        _charms.settle(self._juju)
        return [hook for hook in self._recorder.take() if hook.unit == f"{APP}/0"]

    def only(self, situation: str, kind: str) -> Count:
        """The one hook of a kind."""
        (hook,) = (hook for hook in self.rest() if hook.kind == kind)
        return self._count(situation, hook)

    def relation_changed(self, situation: str) -> Count:
        """The hook about the databag of the requirer's application."""
        return self._count(situation, _about_app(self.rest()))

    def most(self, situation: str) -> Count:
        """The hook that called most: the one that saw the change."""
        return self._count(situation, max(self.rest(), key=lambda hook: hook.total))

    def _count(self, situation: str, hook: HookCalls) -> Count:
        return Count(situation, self._n, self._m, hook.total)


def _about_app(hooks: Sequence[HookCalls]) -> HookCalls:
    (hook,) = (h for h in hooks if h.kind == "relation-changed" and not h.remote_unit)
    return hook


def _touch_peer(juju: Juju) -> None:
    """Let another unit write something that says nothing."""
    relation, unit = juju.relation_id(APP, _PEERS), f"{APP}/1"
    juju.set_databag(relation, unit, {**juju.databag(relation, unit), "note": "nothing"})
