"""``juju-exec``: a process outside of a hook lets its unit run a command in a hook's context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .server import Call
from .state import Command

if TYPE_CHECKING:
    from .engine import Engine

_USAGE = "ERROR usage: juju-exec [-u] UNIT COMMAND...\n"


def execute(engine: Engine, call: Call) -> tuple[int, str, str]:
    """Let a unit run a command once it runs no hook, and wait for its end.

    As in Juju each call runs, however many ask for the same; and what the command wrote counts
    even if it exits with an error, unless its shell was killed.
    """
    if call.token:
        return 1, "", "ERROR juju-exec cannot be called from within a hook\n"
    words = call.arguments[1:] if call.arguments[:1] in (["-u"], ["--unit"]) else call.arguments
    if len(words) < 2:
        return 2, "", _USAGE
    name, *text = words
    with engine.lock:
        unit = engine.model.unit(name)
        if unit is None or unit.lost:
            return 1, "", f"ERROR unit {name!r} not found on this machine\n"
        engine.model.next_command += 1
        command = Command(str(engine.model.next_command), " ".join(text))
        unit.commands.append(command)
        engine.changed.notify_all()
        while not command.finished:
            if engine.closing or engine.model.unit(name) is not unit or unit.lost:
                return 1, "", f"ERROR unit {name!r} is gone\n"
            engine.changed.wait(1.0)
    return command.code, command.out, command.err


def shell(command: Command) -> tuple[str, ...]:
    """The process that runs a command: a shell, which tells how it ended even if it was killed."""
    return ("/bin/bash", "-c", f"{command.text}\nexit $?")
