"""jubilant's ``Juju``, on a local model."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import jubilant

from . import commands, outage
from .drivers import DriverName
from .engine import Engine
from .errors import LocalJujuError
from .state import Application, Event, Unit
from .timeline import Timeline


class Juju(jubilant.Juju):
    """A model of its own, with jubilant's API, for the time of a ``with`` block.

    Everything that works here works on ``jubilant.Juju()`` with a real controller, but for the
    few members that are documented below: they do what nobody can ask a real Juju for.

    Args:
        name: The model's name.
        driver: ``warm`` forks a warm interpreter for each hook; ``process`` starts a process for
            each hook and each hook command, as in production.
        environment: Environment variables for every hook, such as a ``PATH`` with the workload.
        wait_timeout: Default timeout of :meth:`wait` in seconds.
        hook_timeout: Seconds after which a hook is killed and counts as failed.
        seed: Of the order in which units get their turn; in the order of names if None.
    """

    def __init__(
        self,
        name: str = "local",
        *,
        driver: DriverName = "warm",
        environment: Mapping[str, str] | None = None,
        wait_timeout: float = 60.0,
        hook_timeout: float = 300.0,
        seed: int | None = None,
    ):
        self.engine = Engine(
            name, driver=driver, environment=environment, hook_timeout=hook_timeout, seed=seed
        )
        self.engine.serve(partial(commands.run, self.engine))
        super().__init__(wait_timeout=wait_timeout, cli_binary=self.engine.bin / "juju")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process and remove every file of the model. Safe to repeat."""
        self.engine.close()

    def wait(
        self,
        ready: Callable[[jubilant.Status], bool],
        *,
        error: Callable[[jubilant.Status], bool] | None = None,
        delay: float = 0.05,
        timeout: float | None = None,
        successes: int = 1,
    ) -> jubilant.Status:
        """As jubilant's, at the pace of one machine."""
        return super().wait(ready, error=error, delay=delay, timeout=timeout, successes=successes)

    @property
    def timeline(self) -> Timeline:
        """What happened so far."""
        return self.engine.timeline

    @property
    def directory(self) -> Path:
        """Where the model keeps its files."""
        return self.engine.root

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until no unit has anything to do.

        Raises:
            TimeoutError: If that takes longer than so many seconds.
        """
        self.engine.settle(timeout)

    def address(self, unit: str) -> str:
        """The loopback address of a unit."""
        return self._unit(unit).address

    def storage(self, unit: str, name: str) -> Path:
        """Where a storage of a unit is."""
        for identifier, location in self._unit(unit).storages.items():
            if identifier.partition("/")[0] == name:
                return Path(location)
        raise LocalJujuError(f"{unit} has no storage {name}")

    def databag(self, relation_id: int, owner: str) -> dict[str, str]:
        """The databag of an application or unit, whoever may read it."""
        with self.engine.lock:
            relation = self.engine.model.relations[relation_id]
            bags = relation.unit_data if "/" in owner else relation.app_data
            return dict(bags.get(owner, {}))

    def relation_id(self, app: str, endpoint: str, other: str = "") -> int:
        """The id of the newest relation on an endpoint."""
        with self.engine.lock:
            found = [
                r.id
                for r in self.engine.model.relations_of(app)
                if r.endpoint(app) == endpoint and (not other or r.other(app).app == other)
            ]
        if not found:
            raise LocalJujuError(f"nothing is related to {app}:{endpoint}")
        return found[-1]

    def set_leader(self, unit: str) -> None:
        """Make a unit the leader of its application."""
        self.engine.controller.elect(self._app(unit), unit)

    def update_status(self, unit: str) -> None:
        """Make a unit run update-status, which no clock does here."""
        with self.engine.lock:
            self._unit(unit).update_status_due = True
            self.engine.changed.notify_all()

    def fire(self, unit: str, event: Event) -> None:
        """Make a unit run any event, once nothing else is to be done."""
        with self.engine.lock:
            self._unit(unit).due.append(event)
            self.engine.changed.notify_all()

    def lose(self, unit: str) -> None:
        """Lose a unit's machine: its processes are killed and its agent does nothing more.

        Another unit becomes the leader if this one was; a real Juju takes up to a minute for that.
        """
        outage.lose(self.engine, self._unit(unit))

    def recover(self, unit: str) -> None:
        """Bring a lost machine back, with the files that it had."""
        outage.recover(self.engine, self._unit(unit))

    def rotate_secret(self, secret: str) -> None:
        """Make the owner of a secret run secret-rotate."""
        self._secret_event(secret, "secret-rotate")

    def expire_secret(self, secret: str) -> None:
        """Make the owner of a secret run secret-expired for its latest revision."""
        self._secret_event(secret, "secret-expired")

    def _secret_event(self, label: str, kind: str) -> None:
        with self.engine.lock:
            model = self.engine.model
            found = model.find_secret(label) or next(
                (s for s in model.secrets.values() if s.label == label), None
            )
            if found is None:
                raise LocalJujuError(f"there is no secret {label}")
            owner = found.owner if "/" in found.owner else model.applications[found.owner].leader
            revision = found.latest if kind == "secret-expired" else None
            self.fire(owner, Event(kind, kind, secret_id=found.id, secret_revision=revision))

    def _unit(self, name: str) -> Unit:
        unit = self.engine.model.unit(name)
        if unit is None:
            raise LocalJujuError(f"there is no unit {name}")
        return unit

    def _app(self, unit: str) -> Application:
        return self.engine.model.applications[self._unit(unit).app]

    def __repr__(self) -> str:
        return f"Juju({self.engine.model.name!r}, directory={str(self.directory)!r})"

    def __getstate__(self) -> Any:
        raise TypeError("a local model belongs to its process; pass on its cli_binary")
