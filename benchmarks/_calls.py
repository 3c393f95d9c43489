"""Counts hook commands where they arrive: at the socket of the local runtime."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from localjuju import Juju
from localjuju.hook import Hook


@dataclass(frozen=True)
class HookCalls:
    """What one hook called.

    Attributes:
        unit: Whose hook it was.
        kind: What happened, such as ``relation-changed``.
        remote_unit: The unit that the hook is about; empty if it is about an application.
        calls: How often each hook command was called, juju-log apart.
    """

    unit: str
    kind: str
    remote_unit: str
    calls: Counter[str]

    @property
    def total(self) -> int:
        """How many calls they are."""
        return self.calls.total()


class Recorder:
    """Keeps what the hooks of a model call from now on. They run one after the other."""

    def __init__(self, juju: Juju):
        self._hooks: list[Hook] = []
        juju.engine.on_call = self._note

    def _note(self, hook: Hook, _: str) -> None:
        if not self._hooks or self._hooks[-1] is not hook:
            self._hooks.append(hook)

    def take(self) -> list[HookCalls]:
        """The hooks since the last time, in their order."""
        hooks, self._hooks = self._hooks, []
        return [
            HookCalls(
                hook.unit.name,
                hook.event.kind,
                hook.event.remote_unit,
                Counter(call for call in hook.calls if call != "juju-log"),
            )
            for hook in hooks
        ]
