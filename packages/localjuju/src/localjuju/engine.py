"""Runs the hooks of a model, one after the other, in a thread of its own."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import shutil
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from . import resolver, subnet, tools
from .agent import Agent
from .charm import CharmSpec
from .drivers import Driver, DriverName, Run
from .drivers.process import ProcessDriver
from .drivers.warm import WarmDriver
from .environment import Environments
from .errors import ToolError
from .execution import execute, shell
from .hook import Hook
from .host import Host
from .server import Call, Server, install_client
from .state import Application, Command, Event, Model, Relation, Task, Unit, new_secret_id
from .timeline import Timeline, shorten

CommandLine = Callable[[list[str], Path], tuple[int, str, str]]

_FIRST_RETRY = 0.5
_LAST_RETRY = 30.0


class Engine:
    """A model and everything that runs for it.

    Args:
        name: The model's name.
        driver: How hooks are run.
        environment: Environment variables that every hook gets on top of this process's
            ``PATH``, ``HOME`` and ``LANG``.
        hook_timeout: Seconds after which a hook is killed and counts as failed.
        seed: Of the order in which units get their turn; sorted by name if None.
    """

    def __init__(
        self,
        name: str,
        *,
        driver: DriverName = "warm",
        environment: Mapping[str, str] | None = None,
        hook_timeout: float = 300.0,
        seed: int | None = None,
    ):
        self.root = _make_root()
        self.timeline = Timeline()
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.host = Host(self.root)
        self._subnet = subnet.reserve()
        self.model = Model(name, str(uuid.uuid4()), self._subnet.prefix)
        self.hook_timeout = hook_timeout
        self.automatic_retry = True
        self.on_call: Callable[[Hook, str], None] | None = None
        self._environments = Environments(self.root, self.host)
        self._processes = ProcessDriver(self.host)
        self._driver: Driver = (
            WarmDriver(self.host, self.root) if driver == "warm" else self._processes
        )
        self._hooks: dict[str, Hook] = {}
        self._turn = 0
        self._random = None if seed is None else random.Random(seed)  # noqa: S311
        self._closing = False
        self._commands: CommandLine = _no_commands
        self.bin = install_client(self.root, [*tools.TOOLS, "juju", "juju-exec"])
        self._agent = Agent(self.model, self.root, self.bin, dict(environment or {}))
        self._server = Server(self.root, self._handle)
        self._thread = threading.Thread(target=self._loop, name="localjuju-engine", daemon=True)
        self._thread.start()

    def serve(self, commands: CommandLine) -> None:
        """Let the ``juju`` executable be answered."""
        self._commands = commands

    def close(self) -> None:
        """End every process and remove every file of the model."""
        with self.lock:
            if self._closing:
                return
            self._closing = True
            self.changed.notify_all()
        self.host.close()
        self._thread.join(10)
        self._server.close()
        self._subnet.release()
        shutil.rmtree(self.root, ignore_errors=True)

    # The socket.

    def _handle(self, call: Call) -> tuple[int, str, str]:
        if call.name == "juju":
            return self._commands(call.arguments, call.directory)
        if call.name == "juju-exec":
            return execute(self.model, self.changed, call, is_closing=lambda: self._closing)
        with self.lock:
            hook = self._hooks.get(call.token)
            if hook is None:
                return 1, "", "ERROR no hook is running in this context\n"
            with contextlib.suppress(ProcessLookupError):
                hook.session = os.getsid(call.process)
            if self.on_call:
                self.on_call(hook, call.name)
            try:
                return 0, tools.run(hook, call), ""
            except ToolError as error:
                return 1, "", f"{error}\n"

    @staticmethod
    def kill(hook: Hook) -> None:
        """Kill a hook that has called at least one hook command, and its children.

        What it started in a session of its own goes on, as on a machine.
        """
        with contextlib.suppress(ProcessLookupError):
            os.killpg(hook.session, signal.SIGKILL)

    def kill_hook_of(self, unit: Unit) -> None:
        """Kill the hook that a unit is running, if it has called a hook command."""
        for hook in self._hooks.values():
            if hook.unit is unit and hook.session:
                self.kill(hook)

    # The loop.

    def _loop(self) -> None:
        while True:
            with self.lock:
                if self._closing:
                    return
                picked = self._pick()
                if picked is None:
                    self.changed.wait(self._next_retry())
                    continue
                unit, event = picked
                unit.running = event
            try:
                self._run(unit, event)
            except Exception as error:  # noqa: BLE001 - the loop must outlive any charm
                if not self._closing:
                    self._give_up(unit, event, f"{type(error).__name__}: {error}")
            with self.lock:
                unit.running = None
                self.changed.notify_all()

    def _pick(self) -> tuple[Unit, Event] | None:
        """The next unit that has something to do; each gets its turn."""
        units = self.model.units()
        if self._random:
            self._random.shuffle(units)
        elif units:
            start = self._turn % len(units)
            units = units[start:] + units[:start]
        for position, unit in enumerate(units):
            event = resolver.next_event(self.model, unit)
            if event is not None and event is unit.failed and unit.retry_at > time.monotonic():
                continue
            if event is not None:
                self._turn += position + 1
                return unit, event
            if not unit.alive and (unit.stopped or not unit.lost):
                self._bury(unit)
                return self._pick()
        return None

    def _next_retry(self) -> float | None:
        waits = [u.retry_at - time.monotonic() for u in self.model.units() if u.failed]
        waits = [wait for wait in waits if wait < 1e6]
        return max(0.0, min(waits)) if waits else None

    def is_idle(self) -> bool:
        """Whether no unit has anything to do, or to retry."""
        with self.lock:
            return not any(
                not unit.lost
                and (unit.running or resolver.next_event(self.model, unit) or not unit.alive)
                for unit in self.model.units()
            )

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until no unit has anything to do.

        Raises:
            TimeoutError: If that takes longer than so many seconds; it names what is left.
        """
        deadline = time.monotonic() + timeout
        with self.lock:
            while not self.is_idle():
                if (left := deadline - time.monotonic()) <= 0:
                    raise TimeoutError(f"still busy after {timeout} s: {self._busy()}")
                self.changed.wait(min(left, 1.0))

    def _busy(self) -> str:
        events = {u.name: u.running or u.failed for u in self.model.units()}
        return ", ".join(f"{name}: {event}" for name, event in events.items() if event)

    # One hook.

    def _run(self, unit: Unit, event: Event) -> None:
        with self.lock:
            app = self.model.applications[unit.app]
            charm, task = app.charm, self._task(unit, event)
            command = self._command(unit, event)
            self._before(unit, event)
            version = resolver.observe(self.model, unit, event)
            hook = Hook(self.model, unit, event, self.timeline, task)
            token = f"{unit.name}-{event.hook or event.kind}-{secrets.token_hex(8)}"
            self._hooks[token] = hook
        environment = self._environments.of(charm)
        directory = self._agent.charm_dir(unit, app, environment)
        log = self.root / f"hook-{unit.name.replace('/', '-')}.log"
        log.unlink(missing_ok=True)
        driver: Driver = self._driver
        run = Run(
            app=unit.app,
            charm_dir=directory,
            environment=environment,
            entry_point=charm.entry_point,
            variables=self._agent.variables(unit, event, task, directory)
            | {"JUJU_CONTEXT_ID": token},
            log=log,
            timeout=self.hook_timeout,
        )
        if command is not None:
            driver = self._processes
            run = replace(run, command=shell(command), errors=log.with_suffix(".errors"))
        start = time.monotonic()
        try:
            code = driver.run(run)
        finally:
            with self.lock:
                del self._hooks[token]
        seconds = time.monotonic() - start
        output = log.read_text(errors="replace") if log.exists() else ""
        with self.lock:
            if self._closing:
                return
            name = str(event) if task is None else f"action {task.action}"
            name = name if command is None else f"{name} {shorten(command.text)}"
            calls = len([call for call in hook.calls if call != "juju-log"])
            note = f"{name}  {seconds * 1000:.0f} ms, {calls} calls"
            self.timeline.add("hook", unit.name, note if code == 0 else f"{note}, exit {code}")
            for line in output.splitlines():
                self.timeline.add("log", unit.name, line)
            if task is not None:
                self._finish_task(task, hook, code, output)
            elif command is not None:
                self._finish_command(unit, command, hook, code, run)
            elif code == 0:
                hook.commit()
                resolver.commit(self.model, unit, event, version)
                unit.failed, unit.failures = None, 0
                self._after(unit, event)
            else:
                self._fail(unit, event, output.strip().rpartition("\n")[2])

    def _give_up(self, unit: Unit, event: Event, why: str) -> None:
        """A hook could not even be run. An action is not retried, nor is a command."""
        task, command = self._task(unit, event), self._command(unit, event)
        if task is None and command is None:
            self._fail(unit, event, why)
            return
        with self.lock:
            if command is not None:
                command.err, command.finished = f"ERROR {why}\n", True
                unit.commands.remove(command)
            if task is None:
                return
            task.status, task.message, task.return_code, task.finished = "failed", why, 1, True

    def _fail(self, unit: Unit, event: Event, why: str) -> None:
        with self.lock:
            unit.failures += 1
            delay = min(_FIRST_RETRY * 2 ** (unit.failures - 1), _LAST_RETRY)
            unit.failed = event
            unit.retry_at = time.monotonic() + (delay if self.automatic_retry else 1e9)
            self.timeline.add("hook", unit.name, f"{event} failed: {why}")

    def _task(self, unit: Unit, event: Event) -> Task | None:
        return (
            next((t for t in unit.tasks if t.id == event.task_id), None) if event.task_id else None
        )

    @staticmethod
    def _command(unit: Unit, event: Event) -> Command | None:
        return next((c for c in unit.commands if c.id == event.command_id), None)

    @staticmethod
    def _finish_command(unit: Unit, command: Command, hook: Hook, code: int, run: Run) -> None:
        if code >= 0:
            hook.commit()  # as in Juju, whatever the exit code
        command.code = code if code >= 0 else 1
        command.out = run.log.read_text(errors="replace")
        if run.errors is not None:
            command.err = run.errors.read_text(errors="replace")
            run.errors.unlink()
        command.finished = True
        unit.commands.remove(command)

    @staticmethod
    def _finish_task(task: Task, hook: Hook, code: int, output: str) -> None:
        if code == 0:
            hook.commit()
        task.return_code = code
        if task.status == "pending":
            task.status = "completed" if code == 0 else "failed"
            if code:
                task.message = f"exit status {code}"
        if output.strip():
            task.results["stdout"] = output
        task.finished = True

    def _before(self, unit: Unit, event: Event) -> None:
        """What Juju's agent does by itself when a hook is due."""
        relation = self.model.relations.get(-1 if event.relation_id is None else event.relation_id)
        if event.kind == "relation-created" and relation is not None:
            # The agent enters every relation that it knows of at once.
            for known in self.model.relations_of(unit.app):
                self._enter(unit, known)

    @staticmethod
    def _enter(unit: Unit, relation: Relation) -> None:
        seen = unit.seen.get(relation.id)
        if relation.alive and not (seen and seen.broken):
            relation.in_scope.add(unit.name)
            if unit.name not in relation.unit_data:
                relation.unit_data[unit.name] = {
                    "egress-subnets": f"{unit.address}/32",
                    "ingress-address": unit.address,
                    "private-address": unit.address,
                }
                relation.unit_version[unit.name] = 1

    def _after(self, unit: Unit, event: Event) -> None:
        if event.kind == "relation-broken":
            relation = self.model.relations.get(event.relation_id or 0)
            if relation and not relation.alive:
                self._drop_if_over(relation)
        if event.kind == "start" and unit.workload.message == "installing agent":
            unit.workload.status, unit.workload.message = "unknown", ""

    def _drop_if_over(self, relation: Relation) -> None:
        """Remove a dying relation that no unit is part of any more."""
        if any(unit.name in relation.in_scope for unit in self.model.units()):
            return
        if self.model.relations.pop(relation.id, None) is None:
            return
        for secret in self.model.secrets.values():
            gone = {target for target, scope in secret.grants.items() if scope == relation.id}
            for target in gone:
                del secret.grants[target]
            secret.consumers = {
                u: c for u, c in secret.consumers.items() if u.partition("/")[0] not in gone
            }
        self.timeline.add("model", str(relation), "relation removed")

    def drop_relation(self, relation: Relation) -> None:
        """Begin the end of a relation."""
        with self.lock:
            relation.alive = False
            for unit in self.model.units():
                # It entered with all the others, and will not hear of one that ends.
                if not resolver.knows(unit, relation):
                    relation.in_scope.discard(unit.name)
            self._drop_if_over(relation)
            self.changed.notify_all()

    def _bury(self, unit: Unit) -> None:
        """Remove a unit whose last hook has run."""
        app = self.model.applications[unit.app]
        del app.units[unit.name]
        for relation in list(self.model.relations.values()):
            relation.in_scope.discard(unit.name)
            if not relation.alive:
                self._drop_if_over(relation)
        for secret in list(self.model.secrets.values()):
            secret.consumers.pop(unit.name, None)
            if secret.owner == unit.name:
                del self.model.secrets[secret.id]
        self.model.detached_storage.update(unit.storages)
        self.timeline.add("model", unit.name, "unit removed")
        if app.leader == unit.name:
            app.leader = ""
            self.elect(app)
        if not app.alive and not app.units:
            self.remove_app(app)
        self.changed.notify_all()

    def remove_app(self, app: Application) -> None:
        """Remove an application that has no units any more."""
        for relation in self.model.relations_of(app.name):
            self.model.relations.pop(relation.id, None)
        for secret in [s for s in self.model.secrets.values() if s.owner == app.name]:
            del self.model.secrets[secret.id]
        del self.model.applications[app.name]
        self._driver.forget(app.name)
        self.timeline.add("model", app.name, "application removed")

    def skip(self, unit: Unit) -> None:
        """Take the hook that failed for done."""
        with self.lock:
            if unit.failed:
                version = resolver.observe(self.model, unit, unit.failed)
                resolver.commit(self.model, unit, unit.failed, version)
                unit.failed, unit.failures = None, 0
                self.changed.notify_all()

    @property
    def closing(self) -> bool:
        """Whether this model is about to end."""
        return self._closing

    def elect(self, app: Application, unit: str = "") -> None:
        """Give an application a leader: the given unit, or the oldest that is not dying."""
        with self.lock:
            alive = sorted(
                (u for u in app.units.values() if u.alive and not u.lost), key=lambda u: u.number
            )
            candidates = [u.name for u in alive] or sorted(app.units)
            chosen = unit or (candidates[0] if candidates else "")
            if app.leader in app.units:
                app.units[app.leader].elected = False
            app.leader = chosen
            if chosen:
                self.timeline.add("leader", app.name, chosen)
            self.changed.notify_all()

    def add_unit(self, app: Application, storage: Mapping[str, str] | None = None) -> Unit:
        """Add a unit with an address, a machine and storage of its own."""
        name = f"{app.name}/{app.next_unit}"
        app.next_unit += 1
        machine = self.model.next_machine
        self.model.next_machine += 1
        address = self._subnet.address(machine)
        unit = Unit(name, address, str(machine), charm_seen=app.charm_version)
        attached = dict(storage or {})
        for spec in app.charm.storages:
            have = [s for s in attached if s.partition("/")[0] == spec.name]
            for _ in range(spec.minimum - len(have)):
                identifier = f"{spec.name}/{self.model.next_storage}"
                self.model.next_storage += 1
                location = self.root / "storage" / identifier.replace("/", "-")
                location.mkdir(parents=True)
                attached[identifier] = str(location)
        unit.storages = attached
        app.units[name] = unit
        if not app.leader:
            self.elect(app)
        self.timeline.add("model", name, f"unit added on {address}")
        return unit

    def refresh(self, app: Application, charm: CharmSpec) -> None:
        """Give an application another charm, or its own anew."""
        with self.lock:
            app.charm = charm
            app.charm_version += 1
            self._environments = Environments(_fresh(self.root, "environments"), self.host)
            self._driver.forget(app.name)
            self.changed.notify_all()


def _make_root() -> Path:
    """A directory with a short name: the path of a socket is limited to 107 bytes."""
    usual = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="localjuju-", dir=usual if len(usual) < 60 else "/tmp"))  # noqa: S108


def _fresh(root: Path, name: str) -> Path:
    target = root / f"{name}-{new_secret_id()}"
    target.mkdir()
    return target


def _no_commands(_: list[str], _directory: Path) -> tuple[int, str, str]:
    return 1, "", "ERROR this model takes no commands\n"
