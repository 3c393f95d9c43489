"""Runs one hook, action or command of a unit, from its preparation to its outcome."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from . import hook as hooks
from . import juju_exec, resolver
from .calls import Calls
from .charm import CharmSpec
from .charm_dir import CharmDirs
from .controller import Controller
from .drivers import Driver, Run
from .environment import Environments
from .failures import Failures
from .hook import Hook
from .model import Command, Event, Model, Task, Unit
from .settings import Settings
from .timeline import Timeline, shorten
from .variables import HookVariables


@dataclass(frozen=True)
class Attempt:
    """A hook that is about to run.

    Attributes:
        unit: The unit.
        charm: The charm of its application, which a refresh may change meanwhile.
        event: What it is about.
        version: The version of what it is about, read before the hook runs.
        hook: What the hook may read, and what it changes.
        task: The action, if it is one.
        command: The command line of ``juju-exec``, if it is one.
    """

    unit: Unit
    charm: CharmSpec
    event: Event
    version: int
    hook: Hook
    task: Task | None
    command: Command | None

    def __str__(self) -> str:
        if self.task is not None:
            return f"action {self.task.action}"
        if self.command is not None:
            return f"{self.event} {shorten(self.command.text)}"
        return str(self.event)


@dataclass(frozen=True)
class Outcome:
    """How a hook ended.

    Attributes:
        code: Its exit code; negative if it was killed.
        seconds: How long it took.
        output: What it wrote.
        run: What was run.
    """

    code: int
    seconds: float
    output: str
    run: Run


@dataclass
class Runner:
    """Runs hooks, one after the other.

    Attributes:
        model: The model.
        changed: Guards the model, and is told of every change.
        timeline: Where hooks and their output are noted.
        controller: Enters and ends relations.
        calls: Carries out hook commands.
        failures: Notes hooks that fail.
        charm_dirs: Writes charm directories.
        variables: Makes the environment variables of hooks.
        environments: The Python environments of charms.
        driver: Runs charms.
        shell_driver: Runs commands of ``juju-exec``.
        settings: The timeout of hooks.
        root: The directory of the model's files.
        closing: Set when the model is about to end.
    """

    model: Model
    changed: threading.Condition
    timeline: Timeline
    controller: Controller
    calls: Calls
    failures: Failures
    charm_dirs: CharmDirs
    variables: HookVariables
    environments: Environments
    driver: Driver
    shell_driver: Driver
    settings: Settings
    root: Path
    closing: threading.Event

    def run(self, unit: Unit, event: Event) -> None:
        """Run a hook, and note how it ended.

        Whatever goes wrong becomes the hook's failure.
        """
        try:
            attempt = self._prepare(unit, event)
            outcome = self._execute(attempt)
            with self.changed:
                if not self.closing.is_set():
                    self._note(attempt, outcome)
                    self._finish(attempt, outcome)
        except Exception as error:  # noqa: BLE001 - other units must go on
            if not self.closing.is_set():
                self._cannot_run(unit, event, f"{type(error).__name__}: {error}")

    def _prepare(self, unit: Unit, event: Event) -> Attempt:
        with self.changed:
            if event.kind == "relation-created" and event.relation_id in self.model.relations:
                self.controller.enter_relations(unit)
            task = _task(unit, event)
            return Attempt(
                unit,
                self.model.applications[unit.app].charm,
                event,
                resolver.version_of(self.model, unit, event),
                Hook(self.model, unit, event, self.timeline, task),
                task,
                _command(unit, event),
            )

    def _execute(self, attempt: Attempt) -> Outcome:
        """Run a hook, without the lock: other threads read and change the model meanwhile."""
        hook_id = self.calls.start(attempt.hook)
        try:
            run = self._describe(attempt, hook_id)
            driver = self.driver if attempt.command is None else self.shell_driver
            start = time.monotonic()
            code = driver.run(run)
            seconds = time.monotonic() - start
        finally:
            self.calls.end(hook_id)
        output = run.log.read_text(errors="replace") if run.log.exists() else ""
        return Outcome(code, seconds, output, run)

    def _describe(self, attempt: Attempt, hook_id: str) -> Run:
        """What the driver has to run."""
        unit, charm = attempt.unit, attempt.charm
        environment = self.environments.of(charm)
        app = self.model.applications[unit.app]
        charm_dir = self.charm_dirs.prepare(unit, app, environment)
        variables = self.variables.of(unit, attempt.event, attempt.task, charm_dir)
        log = self.root / f"hook-{unit.name.replace('/', '-')}.log"
        log.unlink(missing_ok=True)
        run = Run(
            app=unit.app,
            charm_dir=charm_dir,
            environment=environment,
            entry_point=charm.entry_point,
            variables={**environment.variables, **variables, "JUJU_CONTEXT_ID": hook_id},
            log=log,
            timeout=self.settings.hook_timeout,
        )
        if attempt.command is None:
            return run
        command = juju_exec.shell(attempt.command)
        return replace(run, command=command, errors=log.with_suffix(".errors"))

    def _note(self, attempt: Attempt, outcome: Outcome) -> None:
        """Write a hook and its output into the timeline."""
        unit = attempt.unit.name
        calls = len([call for call in attempt.hook.calls if call != "juju-log"])
        text = f"{attempt}  {outcome.seconds * 1000:.0f} ms, {calls} calls"
        text = text if outcome.code == 0 else f"{text}, exit {outcome.code}"
        self.timeline.add("hook", unit, text)
        for line in outcome.output.splitlines():
            self.timeline.add("log", unit, line)

    def _finish(self, attempt: Attempt, outcome: Outcome) -> None:
        if attempt.task is not None:
            _finish_action(attempt.task, attempt.hook, outcome)
        elif attempt.command is not None:
            juju_exec.finish(
                attempt.unit, attempt.command, attempt.hook, outcome.code, outcome.run
            )
        elif outcome.code == 0:
            self._finish_hook(attempt)
        # Juju queues a hook that was killed again without an error (runner.go:712-717).
        elif not attempt.hook.is_lost:
            reason = outcome.output.strip().rpartition("\n")[2]
            self.failures.add(attempt.unit, attempt.event, reason)

    def _finish_hook(self, attempt: Attempt) -> None:
        """Commit what a hook changed, and note that its unit has run it."""
        unit, event = attempt.unit, attempt.event
        hooks.commit(attempt.hook)
        resolver.record(self.model, unit, event, attempt.version)
        self.failures.clear(unit)
        if event.kind == "relation-broken":
            relation = self.model.relations.get(event.relation_id or 0)
            if relation:
                self.controller.remove_relation_if_left(relation)
        if event.kind == "start" and unit.workload.message == "installing agent":
            unit.workload.status, unit.workload.message = "unknown", ""

    def _cannot_run(self, unit: Unit, event: Event, reason: str) -> None:
        """Note that a hook could not be run. Actions and commands are not retried."""
        with self.changed:
            task, command = _task(unit, event), _command(unit, event)
            if task is not None:
                task.status, task.message = "failed", reason
                task.return_code, task.finished = 1, True
            elif command is not None:
                juju_exec.fail(unit, command, reason)
            else:
                self.failures.add(unit, event, reason)


def _task(unit: Unit, event: Event) -> Task | None:
    if not event.task_id:
        return None
    return next((task for task in unit.tasks if task.id == event.task_id), None)


def _command(unit: Unit, event: Event) -> Command | None:
    if not event.command_id:
        return None
    return next((c for c in unit.commands if c.id == event.command_id), None)


def _finish_action(task: Task, hook: Hook, outcome: Outcome) -> None:
    if outcome.code == 0:
        hooks.commit(hook)
    task.return_code = outcome.code
    if task.status == "pending":
        task.status = "completed" if outcome.code == 0 else "failed"
        if outcome.code:
            task.message = f"exit status {outcome.code}"
    if outcome.output.strip():
        task.results["stdout"] = outcome.output
    task.finished = True
