"""Runs the hooks of a model, one after the other, in a thread of its own."""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from . import resolver, subnet, tools
from .agent import Agent
from .calls import Calls
from .charm import CharmSpec
from .controller import Controller
from .drivers import Driver, DriverName, Run
from .drivers.process import ProcessDriver
from .drivers.warm import WarmDriver
from .environment import Environments
from .execution import execute, finish, shell
from .hook import Hook
from .host import Host
from .server import Call, Server, install_client
from .state import JUJU_VERSION, Application, Command, Event, Model, Task, Unit, new_secret_id
from .timeline import Timeline, shorten

CommandLine = Callable[[list[str], Path], tuple[int, str, str]]

_FIRST_RETRY = 0.5
_LAST_RETRY = 30.0


@dataclass(frozen=True)
class FailedHook:
    """An attempt to run a hook that failed.

    Attributes:
        seconds: Since the model was made.
        unit: The name of the unit.
        event: What the hook was about.
        reason: The last line of its output, or why it could not be run.
    """

    seconds: float
    unit: str
    event: Event
    reason: str

    def __str__(self) -> str:
        return f"{self.unit}: {self.event} failed: {self.reason}"


class Engine:
    """A model and everything that runs for it.

    Args:
        name: The model's name.
        driver: How hooks are run.
        environment: Environment variables that every hook gets on top of this process's
            ``PATH``, ``HOME`` and ``LANG``.
        hook_timeout: Seconds after which a hook is killed and counts as failed.
        seed: Seed of the random order in which units run their hooks; sorted by name if None.
        juju_version: The version that charms and clients are told.
        automatically_retry_hooks: Whether hooks that fail are retried.
    """

    def __init__(
        self,
        name: str,
        *,
        driver: DriverName = "warm",
        environment: Mapping[str, str] | None = None,
        hook_timeout: float = 300.0,
        seed: int | None = None,
        juju_version: str = JUJU_VERSION,
        automatically_retry_hooks: bool = True,
    ):
        self.root = _make_root()
        self.timeline = Timeline()
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.host = Host(self.root)
        self._subnet = subnet.reserve()
        self.model = Model(name, str(uuid.uuid4()), self._subnet.prefix, juju_version=juju_version)
        self.hook_timeout = hook_timeout
        self.automatically_retry_hooks = automatically_retry_hooks
        self.calls = Calls(self.lock)
        self._failed_hooks: list[FailedHook] = []
        self._environments = Environments(self.root, self.host)
        self._processes = ProcessDriver(self.host)
        self._driver: Driver = (
            WarmDriver(self.host, self.root) if driver == "warm" else self._processes
        )
        self.controller = Controller(
            self.model,
            self.changed,
            self.timeline,
            storage=self.root / "storage",
            subnet=self._subnet,
            forget=self._driver.forget,
        )
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
        return self.calls.answer(call)

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
                self.controller.bury(unit)
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
            if event.kind == "relation-created" and event.relation_id in self.model.relations:
                self.controller.enter_relations(unit)
            version = resolver.observe(self.model, unit, event)
            hook = Hook(self.model, unit, event, self.timeline, task)
            token = self.calls.start(hook)
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
            self.calls.end(token)
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
                finish(unit, command, hook, code, run)
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
            unit.retry_at = time.monotonic() + (delay if self.automatically_retry_hooks else 1e9)
            entry = self.timeline.add("hook", unit.name, f"{event} failed: {why}")
            self._failed_hooks.append(FailedHook(entry.seconds, unit.name, event, why))

    def _task(self, unit: Unit, event: Event) -> Task | None:
        return (
            next((t for t in unit.tasks if t.id == event.task_id), None) if event.task_id else None
        )

    @staticmethod
    def _command(unit: Unit, event: Event) -> Command | None:
        return next((c for c in unit.commands if c.id == event.command_id), None)

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

    def _after(self, unit: Unit, event: Event) -> None:
        if event.kind == "relation-broken":
            relation = self.model.relations.get(event.relation_id or 0)
            if relation:
                self.controller.end_if_over(relation)
        if event.kind == "start" and unit.workload.message == "installing agent":
            unit.workload.status, unit.workload.message = "unknown", ""

    def skip(self, unit: Unit) -> None:
        """Take the hook that failed for done."""
        with self.lock:
            if unit.failed:
                version = resolver.observe(self.model, unit, unit.failed)
                resolver.commit(self.model, unit, unit.failed, version)
                unit.failed, unit.failures = None, 0
                self.changed.notify_all()

    def failed_hooks(self) -> list[FailedHook]:
        """Every attempt of a hook that failed, in their order."""
        with self.lock:
            return list(self._failed_hooks)

    @property
    def closing(self) -> bool:
        """Whether this model is about to end."""
        return self._closing

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
