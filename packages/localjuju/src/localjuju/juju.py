"""jubilant's ``Juju``, on a local model."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import jubilant

from . import commands, outage, simulated
from .calls import Listener, Subscription
from .charm import EndpointSpec, Role
from .drivers import DriverName
from .engine import Engine
from .errors import LocalJujuError
from .failures import FailedHook
from .model import JUJU_VERSION, Application, Event, Secret, Unit
from .settings import Settings
from .simulated import SimulatedApp
from .snapshot import Snapshot, UnitSnapshot, take_snapshot
from .timeline import Timeline


class Juju(jubilant.Juju):
    """A model of its own, with jubilant's API, for the time of a ``with`` block.

    Everything that works here works on ``jubilant.Juju()`` with a real controller, except for the
    members that are documented below: they read a model or make something happen in it, which no
    real Juju offers.

    Args:
        name: The model's name.
        driver: ``warm`` forks a warm interpreter for each hook; ``process`` starts a process for
            each hook and each hook command, as in production.
        environment: Environment variables for every hook, such as a ``PATH`` with the workload.
        wait_timeout: Default timeout of :meth:`wait` in seconds.
        hook_timeout: Seconds after which a hook is killed and counts as failed.
        seed: Seed of the random order in which units run their hooks; None for the order of
            their names.
        juju_version: The version that charms and clients are told.
        automatically_retry_hooks: Whether hooks that fail are retried, as in the model
            configuration of the same name.
        ipv6: Whether units have IPv6 addresses only, which needs root: they are added to ``lo``.
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
        juju_version: str = JUJU_VERSION,
        automatically_retry_hooks: bool = True,
        ipv6: bool = False,
    ):
        self._engine = Engine(
            name,
            driver=driver,
            environment=environment,
            settings=Settings(hook_timeout, automatically_retry_hooks),
            seed=seed,
            juju_version=juju_version,
            ipv6=ipv6,
        )
        self._engine.serve(partial(commands.run, self._engine))
        super().__init__(wait_timeout=wait_timeout, cli_binary=self.bin / "juju")

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
        self._engine.close()

    def wait(
        self,
        ready: Callable[[jubilant.Status], bool],
        *,
        error: Callable[[jubilant.Status], bool] | None = None,
        delay: float = 0.05,
        timeout: float | None = None,
        successes: int = 1,
    ) -> jubilant.Status:
        """As jubilant's, with a delay and a number of successes that suit one machine."""
        return super().wait(ready, error=error, delay=delay, timeout=timeout, successes=successes)

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until no unit has anything to do.

        Raises:
            TimeoutError: If that takes longer than so many seconds.
        """
        self._engine.settle(timeout)

    # What the model is.

    @property
    def timeline(self) -> Timeline:
        """What happened so far."""
        return self._engine.timeline

    @property
    def directory(self) -> Path:
        """The directory of the model's files."""
        return self._engine.root

    @property
    def bin(self) -> Path:
        """The directory with ``juju``, ``juju-exec`` and the hook commands."""
        return self._engine.bin

    def snapshot(self) -> Snapshot:
        """Applications, units, addresses, leaders, relations, databags and secrets.

        They are read together, while no hook can change them: what one snapshot holds is
        consistent, what two calls return may not be.
        """
        with self._engine.lock:
            return take_snapshot(self._engine.model)

    def units(self, app: str) -> tuple[UnitSnapshot, ...]:
        """The units of an application, by number, as they are now.

        Raises:
            LocalJujuError: If there is no such application.
        """
        return self.snapshot().units(app)

    def leader(self, app: str) -> str:
        """The name of the unit that leads an application now; empty if none does.

        Raises:
            LocalJujuError: If there is no such application.
        """
        return self.snapshot().leader(app)

    def failed_hooks(self, app: str | None = None) -> tuple[FailedHook, ...]:
        """The hooks of an application, or of all, that failed so far; one for each attempt."""
        failures = self._engine.failures.all()
        return tuple(f for f in failures if app is None or f.unit.partition("/")[0] == app)

    def address(self, unit: str) -> str:
        """The loopback address of a unit.

        Raises:
            LocalJujuError: If there is no such unit.
        """
        return self._unit(unit).address

    def storage(self, unit: str, name: str) -> Path:
        """The directory of a unit's storage.

        Raises:
            LocalJujuError: If there is no such unit, or it has no such storage.
        """
        for identifier, location in self._unit(unit).storages.items():
            if identifier.partition("/")[0] == name:
                return Path(location)
        raise LocalJujuError(f"{unit} has no storage {name}")

    def databag(self, relation_id: int, owner: str) -> dict[str, str]:
        """The databag of an application or unit, whoever may read it in Juju.

        Raises:
            KeyError: If there is no such relation.
        """
        with self._engine.lock:
            relation = self._engine.model.relations[relation_id]
            databags = relation.unit_data if "/" in owner else relation.app_data
            return dict(databags.get(owner, {}))

    def relation_id(self, app: str, endpoint: str, other: str = "") -> int:
        """The id of the newest relation on an endpoint, with some application or any.

        Raises:
            LocalJujuError: If nothing is related to the endpoint.
        """
        with self._engine.lock:
            ids = [
                relation.id
                for relation in self._engine.model.relations_of(app)
                if relation.endpoint(app) == endpoint
                and (not other or relation.other(app).app == other)
            ]
        if not ids:
            raise LocalJujuError(f"nothing is related to {app}:{endpoint}")
        return ids[-1]

    # What one makes happen in it.

    def on_call(self, listener: Listener) -> Subscription:
        """Call a function before each hook command that any hook runs.

        The listener runs with the model locked, and may kill the hook (``call.kill_hook()``). If
        it raises an error, the hook command fails with that error.

        Returns:
            What ends it: ``close()``, or a ``with`` block.
        """
        return self._engine.calls.subscribe(listener)

    @property
    def hook_timeout(self) -> float:
        """Seconds after which a hook is killed and counts as failed."""
        return self._engine.settings.hook_timeout

    @hook_timeout.setter
    def hook_timeout(self, seconds: float) -> None:
        self._engine.settings.hook_timeout = seconds

    @property
    def automatically_retry_hooks(self) -> bool:
        """Whether hooks that fail from now on are retried; if not, they wait for ``resolve``."""
        return self._engine.settings.automatically_retry_hooks

    @automatically_retry_hooks.setter
    def automatically_retry_hooks(self, retry: bool) -> None:
        self._engine.settings.automatically_retry_hooks = retry

    def set_leader(self, unit: str) -> None:
        """Make a unit the leader of its application.

        Raises:
            LocalJujuError: If there is no such unit.
        """
        self._engine.leadership.elect(self._app(unit), unit)

    def clear_leader(self, app: str) -> None:
        """Leave an application without a leader, until :meth:`set_leader` or :meth:`recover`.

        Raises:
            LocalJujuError: If there is no such application.
        """
        with self._engine.lock:
            application = self._engine.model.applications.get(app)
            if application is None:
                raise LocalJujuError(f"there is no application {app}")
            self._engine.leadership.clear(application)

    def update_status(self, unit: str) -> None:
        """Make a unit run update-status; no clock does.

        Raises:
            LocalJujuError: If there is no such unit.
        """
        with self._engine.lock:
            self._unit(unit).update_status_due = True
            self._engine.changed.notify_all()

    def fire(self, unit: str, event: Event) -> None:
        """Make a unit run any event once it has nothing else to do.

        Raises:
            LocalJujuError: If there is no such unit.
        """
        with self._engine.lock:
            self._unit(unit).due.append(event)
            self._engine.changed.notify_all()

    def change_address(self, unit: str) -> str:
        """Give a unit's machine another address, as when it has moved to another network.

        Its charm runs ``config-changed``, the other ends of its relations ``relation-changed``.
        Processes that listen on the former address go on: a charm has to restart them.

        Returns:
            The new address.

        Raises:
            LocalJujuError: If there is no such unit.
        """
        return self._engine.controller.change_address(self._unit(unit))

    def lose(self, unit: str) -> None:
        """Lose a unit's machine: its processes are killed and its agent does nothing more.

        Another unit becomes the leader if this one was; a real Juju takes up to a minute for that.

        Raises:
            LocalJujuError: If there is no such unit.
        """
        outage.lose(self._engine, self._unit(unit))

    def recover(self, unit: str) -> None:
        """Bring a lost machine back, with the files that it had.

        Raises:
            LocalJujuError: If there is no such unit.
        """
        outage.recover(self._engine, self._unit(unit))

    def set_databag(self, relation_id: int, owner: str, databag: Mapping[str, str]) -> None:
        """Replace the databag of an application or unit, as if its charm had written it.

        The other side runs relation-changed, even if nothing differs.

        Raises:
            KeyError: If there is no such relation.
        """
        with self._engine.lock:
            relation = self._engine.model.relations[relation_id]
            of_unit = "/" in owner
            databags = relation.unit_data if of_unit else relation.app_data
            versions = relation.unit_version if of_unit else relation.app_version
            databags[owner] = dict(databag)
            versions[owner] = versions.get(owner, 0) + 1
            self._engine.changed.notify_all()

    def set_next_relation_id(self, number: int) -> None:
        """Give the next relation this id; those after it count on from there."""
        with self._engine.lock:
            self._engine.model.next_relation = number

    def simulate(self, app: str, endpoint: str, interface: str, role: Role) -> SimulatedApp:
        """Add an application that runs no charm; the caller writes what its charm would.

        Args:
            app: The name of the application.
            endpoint: The only endpoint of its charm.
            interface: The interface of the endpoint.
            role: The role of the endpoint: ``provides`` or ``requires``.

        Raises:
            LocalJujuError: If an application of that name exists.
        """
        return simulated.add_simulated(self._engine, app, EndpointSpec(endpoint, interface, role))

    def rotate_secret(self, secret: str) -> None:
        """Make the owner of a secret, by URI or label, run secret-rotate.

        Raises:
            LocalJujuError: If there is no such secret.
        """
        with self._engine.lock:
            owned = self._secret(secret)
            event = Event("secret-rotate", "secret-rotate", secret_id=owned.id)
            self.fire(self._owner(owned), event)

    def expire_secret(self, secret: str) -> None:
        """Make the owner of a secret, by URI or label, run secret-expired for the latest revision.

        Raises:
            LocalJujuError: If there is no such secret.
        """
        with self._engine.lock:
            owned = self._secret(secret)
            event = Event(
                "secret-expired",
                "secret-expired",
                secret_id=owned.id,
                secret_revision=owned.latest,
            )
            self.fire(self._owner(owned), event)

    def _secret(self, name: str) -> Secret:
        model = self._engine.model
        labelled = (secret for secret in model.secrets.values() if secret.label == name)
        secret = model.find_secret(name) or next(labelled, None)
        if secret is None:
            raise LocalJujuError(f"there is no secret {name}")
        return secret

    def _owner(self, secret: Secret) -> str:
        """The unit that runs the hooks about a secret that its owner is told of."""
        if "/" in secret.owner:
            return secret.owner
        return self._engine.model.applications[secret.owner].leader

    def _unit(self, name: str) -> Unit:
        with self._engine.lock:
            unit = self._engine.model.unit(name)
        if unit is None:
            raise LocalJujuError(f"there is no unit {name}")
        return unit

    def _app(self, unit: str) -> Application:
        with self._engine.lock:
            return self._engine.model.applications[self._unit(unit).app]

    def __repr__(self) -> str:
        return f"Juju({self._engine.model.name!r}, directory={str(self.directory)!r})"

    def __getstate__(self) -> Any:
        raise TypeError("a local model belongs to its process; pass on its cli_binary")
