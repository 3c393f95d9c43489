"""Counts hook commands where they arrive: at the socket of the local runtime."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from localjuju import HookCall, Juju


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
        self._hooks: dict[str, HookCalls] = {}
        juju.on_call(self._note)

    def _note(self, call: HookCall) -> None:
        hook = self._hooks.setdefault(
            call.hook_id,
            HookCalls(call.unit, call.event.kind, call.event.remote_unit, Counter()),
        )
        if call.command != "juju-log":
            hook.calls[call.command] += 1

    def take(self) -> list[HookCalls]:
        """The hooks since the last time, in their order."""
        hooks, self._hooks = self._hooks, {}
        return list(hooks.values())
