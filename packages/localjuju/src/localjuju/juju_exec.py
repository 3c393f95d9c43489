"""``juju-exec``: a process outside of a hook lets its unit run a command in a hook's context."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition

from .drivers import Run
from .hook import Hook, commit
from .model import Command, Model, Unit
from .server import Call

_USAGE = "ERROR usage: juju-exec [-u] UNIT COMMAND...\n"


def execute(
    model: Model, changed: Condition, call: Call, *, is_closing: Callable[[], bool]
) -> tuple[int, str, str]:
    """Let a unit run a command once it runs no hook, and wait for its end.

    As in Juju each call is run, even if others run the same command; and what the command
    changed is kept even if it exits with an error, unless its shell was killed.

    Args:
        model: The model.
        changed: Guards the model, and is told of every change.
        call: The call of ``juju-exec``.
        is_closing: Says whether the model is about to end.

    Returns:
        The exit code and what was written to standard output and standard error.
    """
    if call.token:
        return 1, "", "ERROR juju-exec cannot be called from within a hook\n"
    words = call.arguments[1:] if call.arguments[:1] in (["-u"], ["--unit"]) else call.arguments
    if len(words) < 2:
        return 2, "", _USAGE
    name, *text = words
    with changed:
        unit = model.unit(name)
        if unit is None or unit.lost:
            return 1, "", f"ERROR unit {name!r} not found on this machine\n"
        command = _add_command(model, unit, " ".join(text))
        changed.notify_all()
        while not command.finished:
            if is_closing() or model.unit(name) is not unit or unit.lost:
                return 1, "", f"ERROR unit {name!r} is gone\n"
            changed.wait(1.0)
    return command.code, command.out, command.err


def _add_command(model: Model, unit: Unit, text: str) -> Command:
    model.next_command += 1
    command = Command(str(model.next_command), text)
    unit.commands.append(command)
    return command


def shell(command: Command) -> tuple[str, ...]:
    """The process that runs a command: a shell, which tells how it ended even if it was killed."""
    return ("/bin/bash", "-c", f"{command.text}\nexit $?")


def finish(unit: Unit, command: Command, hook: Hook, code: int, run: Run) -> None:
    """Answer the caller of a command that has ended.

    Args:
        unit: The unit that ran it.
        command: The command.
        hook: The context in which it ran.
        code: The exit code; negative if its shell was killed.
        run: Names the files of its output.
    """
    if code >= 0:
        commit(hook)  # as in Juju, whatever the exit code
    command.code = code if code >= 0 else 1
    command.out = run.log.read_text(errors="replace")
    if run.errors is not None:
        command.err = run.errors.read_text(errors="replace")
        run.errors.unlink()
    command.finished = True
    unit.commands.remove(command)


def fail(unit: Unit, command: Command, reason: str) -> None:
    """Answer the caller of a command that could not be run."""
    command.err, command.finished = f"ERROR {reason}\n", True
    unit.commands.remove(command)
