"""Hook commands: who may run them, and who watches or kills the hooks that do."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from . import tools
from .errors import ToolError
from .hook import Hook
from .model import Event, Unit
from .server import Call


@dataclass(frozen=True)
class HookCall:
    """A hook command that a hook is about to run.

    Attributes:
        hook_id: The same for all calls of one hook; another for its next attempt.
        unit: The name of the unit whose hook it is.
        event: What the hook is about.
        command: The hook command, such as ``relation-set``.
        arguments: Its arguments.
    """

    hook_id: str
    unit: str
    event: Event
    command: str
    arguments: tuple[str, ...]
    _kill: Callable[[], None] = field(repr=False)

    def kill_hook(self) -> None:
        """Kill the hook, with its children, before the command is carried out.

        What the hook started in a session of its own goes on, as on a machine. Juju retries a
        hook that was killed, but not an action.
        """
        self._kill()


Listener = Callable[[HookCall], None]
"""Called before a hook command is carried out, with the model locked."""


class Subscription:
    """A listener that hears every call until :meth:`close`, or the end of a ``with`` block."""

    def __init__(self, close: Callable[[], None]):
        self._close = close

    def close(self) -> None:
        """Call the listener no more. Safe to repeat."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Calls:
    """Carries out the hook commands of the hooks that run now.

    Args:
        lock: The model's.
    """

    def __init__(self, lock: threading.RLock):
        self._lock = lock
        self._hooks: dict[str, Hook] = {}
        self._listeners: list[Listener] = []

    def start(self, hook: Hook) -> str:
        """Let a hook run hook commands.

        Returns:
            Its id, which it hands over with each call (``JUJU_CONTEXT_ID``).
        """
        hook_id = f"{hook.unit.name}-{hook.event.hook or hook.event.kind}-{secrets.token_hex(8)}"
        with self._lock:
            self._hooks[hook_id] = hook
        return hook_id

    def end(self, hook_id: str) -> None:
        """Refuse further calls of a hook."""
        with self._lock:
            del self._hooks[hook_id]

    def answer(self, call: Call) -> tuple[int, str, str]:
        """Carry out a hook command.

        Returns:
            Exit code, standard output, standard error.
        """
        with self._lock:
            hook = self._hooks.get(call.token)
            if hook is None:
                return 1, "", "ERROR no hook is running in this context\n"
            with contextlib.suppress(ProcessLookupError):
                hook.session = os.getsid(call.process)
            self._notify(hook, call)
            try:
                return 0, tools.run(hook, call), ""
            except ToolError as error:
                return 1, "", f"{error}\n"

    def subscribe(self, listener: Listener) -> Subscription:
        """Let a listener hear every further call."""

        def close() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        with self._lock:
            self._listeners.append(listener)
        return Subscription(close)

    def kill_hook_of(self, unit: Unit) -> None:
        """Kill the hook that the unit of a lost machine runs.

        One that has not yet called a hook command is only marked.
        """
        with self._lock:
            for hook in self._hooks.values():
                if hook.unit is unit:
                    hook.is_lost = True
                    _kill(hook)

    def _notify(self, hook: Hook, call: Call) -> None:
        for listener in list(self._listeners):
            listener(
                HookCall(
                    call.token,
                    hook.unit.name,
                    hook.event,
                    call.name,
                    tuple(call.arguments),
                    partial(_kill, hook),
                )
            )


def _kill(hook: Hook) -> None:
    if hook.session:  # else it has ended already, and 0 would be this process's own group
        with contextlib.suppress(ProcessLookupError):
            os.killpg(hook.session, signal.SIGKILL)
