"""A model and everything that runs for it: processes, the socket, the thread that runs hooks."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from . import juju_exec, subnet, tools
from .calls import Calls
from .charm import CharmSpec
from .charm_dir import CharmDirs
from .clock import Clock
from .controller import Controller
from .drivers import Driver, DriverName
from .drivers.process import ProcessDriver
from .drivers.warm import WarmDriver
from .environment import Environments
from .failures import Failures
from .host import Host
from .leadership import Leadership
from .model import JUJU_VERSION, Application, Model, new_secret_id
from .runner import Runner
from .schedule import Schedule
from .server import Call, Server, install_client
from .settings import Settings
from .timeline import Timeline
from .variables import HookVariables

CommandLine = Callable[[list[str], Path], tuple[int, str, str]]
"""Carries out the arguments of ``juju``, from a directory: exit code, output, error."""


class Engine:
    """A model and everything that runs for it.

    Args:
        name: The model's name.
        driver: How hooks are run.
        environment: Environment variables that every hook gets on top of this process's
            ``PATH``, ``HOME`` and ``LANG``.
        settings: What may be changed later.
        seed: Seed of the random order in which units run their hooks; sorted by name if None.
        juju_version: The version that charms and clients are told.
        ipv6: Whether units have IPv6 addresses only.
    """

    def __init__(
        self,
        name: str,
        *,
        driver: DriverName = "warm",
        environment: Mapping[str, str] | None = None,
        settings: Settings | None = None,
        seed: int | None = None,
        juju_version: str = JUJU_VERSION,
        ipv6: bool = False,
    ):
        self.root = _make_root()
        self.timeline = Timeline()
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.settings = settings or Settings()
        self._closing = threading.Event()
        self._subnet = subnet.reserve(ipv6=ipv6)
        self.model = Model(name, str(uuid.uuid4()), self._subnet.prefix, juju_version=juju_version)

        self.host = Host(self.root)
        processes = ProcessDriver(self.host)
        self._driver: Driver = WarmDriver(self.host, self.root) if driver == "warm" else processes
        self.bin = install_client(self.root, [*tools.TOOLS, "juju", "juju-exec"])

        self.leadership = Leadership(self.changed, self.timeline)
        self.controller = Controller(
            self.model,
            self.changed,
            self.timeline,
            self.leadership,
            storage=self.root / "storage",
            subnet=self._subnet,
            forget=self._driver.forget,
        )
        self.calls = Calls(self.lock)
        self.failures = Failures(
            model=self.model,
            changed=self.changed,
            timeline=self.timeline,
            clock=Clock(),
            settings=self.settings,
        )
        self._schedule = Schedule(self.model, self.controller, self.failures, seed)
        self._runner = Runner(
            model=self.model,
            changed=self.changed,
            timeline=self.timeline,
            controller=self.controller,
            calls=self.calls,
            failures=self.failures,
            charm_dirs=CharmDirs(self.root),
            variables=HookVariables(self.model, self.root, self.bin, dict(environment or {})),
            environments=Environments(self.root, self.host),
            driver=self._driver,
            shell_driver=processes,
            settings=self.settings,
            root=self.root,
            closing=self._closing,
        )
        self._commands: CommandLine = _no_commands
        self._server = Server(self.root, self._answer)
        self._thread = threading.Thread(target=self._loop, name="localjuju-engine", daemon=True)
        self._thread.start()

    def serve(self, commands: CommandLine) -> None:
        """Let the ``juju`` executable be answered."""
        self._commands = commands

    @property
    def closing(self) -> bool:
        """Whether this model is about to end."""
        return self._closing.is_set()

    def close(self) -> None:
        """End every process and remove every file of the model. Safe to repeat."""
        with self.lock:
            if self.closing:
                return
            self._closing.set()
            self.changed.notify_all()
        self.host.close()
        self._thread.join(10)
        self._server.close()
        self._subnet.release()
        shutil.rmtree(self.root, ignore_errors=True)

    def refresh(self, app: Application, charm: CharmSpec) -> None:
        """Give an application another charm, or load its own once more."""
        with self.lock:
            app.charm = charm
            app.charm_version += 1
            self._runner.environments = Environments(_fresh(self.root), self.host)
            self._driver.forget(app.name)
            self.changed.notify_all()

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until no unit has anything to do.

        Raises:
            TimeoutError: If that takes longer than so many seconds; it names what is left.
        """
        deadline = time.monotonic() + timeout
        with self.lock:
            while not self._schedule.is_idle():
                if (left := deadline - time.monotonic()) <= 0:
                    pending = self._schedule.pending()
                    raise TimeoutError(f"still busy after {timeout} s: {pending}")
                self.changed.wait(min(left, 1.0))

    def _answer(self, call: Call) -> tuple[int, str, str]:
        """Answer an executable that talks to the socket."""
        if call.name == "juju":
            return self._commands(call.arguments, call.directory)
        if call.name == "juju-exec":
            return juju_exec.execute(
                self.model, self.changed, call, is_closing=self._closing.is_set
            )
        return self.calls.answer(call)

    def _loop(self) -> None:
        """Run one hook after the other until the model ends."""
        while True:
            with self.lock:
                if self.closing:
                    return
                choice = self._schedule.pick()
                if choice is None:
                    self.changed.wait(self.failures.seconds_to_next_retry())
                    continue
                unit, event = choice
                unit.running = event
            self._runner.run(unit, event)
            with self.lock:
                unit.running = None
                self.changed.notify_all()


def _make_root() -> Path:
    """A directory with a short name: the path of a socket is limited to 107 bytes."""
    usual = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="localjuju-", dir=usual if len(usual) < 60 else "/tmp"))  # noqa: S108


def _fresh(root: Path) -> Path:
    """A directory for Python environments that no earlier charm has used."""
    target = root / f"environments-{new_secret_id()}"
    target.mkdir()
    return target


def _no_commands(_: list[str], _directory: Path) -> tuple[int, str, str]:
    return 1, "", "ERROR this model takes no commands\n"
