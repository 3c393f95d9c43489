"""``valkey-client demo``."""

from __future__ import annotations

import json
import signal
import sys
import time

from rich.console import Console
from rich.text import Text

import localjuju

from ._binaries import Binary, NoBinaryError, find_binary
from ._demo_steps import DemoSteps, Step, StepError
from .project import NoProjectError


def run(*, units: int, as_json: bool) -> int:
    """Run the demonstration.

    Args:
        units: How many units of Valkey to deploy.
        as_json: Whether to print a JSON object for each step instead of text.

    Returns:
        The exit code: 0 if every step passed, 1 if one failed, 130 if interrupted.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(stderr=as_json, highlight=False)
    try:
        binary = find_binary()
        return _run(binary, units, console, as_json=as_json)
    except (NoBinaryError, NoProjectError) as error:
        console.print(f"[red]{error}[/]")
        return 1
    except KeyboardInterrupt:
        console.print("interrupted; all processes and files of the model were removed")
        return 130


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _run(binary: Binary, units: int, console: Console, *, as_json: bool) -> int:
    start = time.monotonic()
    console.print(f"Valkey {binary.name}, {units} unit(s), no controller\n")
    with localjuju.Juju("demo", environment=binary.environment()) as juju:
        failed = [
            step.name
            for step in DemoSteps(juju, units, has_tls=binary.has_tls).steps()
            if not _run_step(step, console, as_json=as_json)
        ]
        timeline = juju.timeline
    seconds = round(time.monotonic() - start, 2)
    if as_json:
        summary = {"step": "summary", "ok": not failed, "seconds": seconds, "failed": failed}
        print(json.dumps(summary), flush=True)  # noqa: T201
    else:
        _print_timeline(timeline, console)
        verdict = "every step passed" if not failed else f"failed: {', '.join(failed)}"
        console.print(f"\n{verdict} in {seconds} s; all processes and files were removed")
    return 1 if failed else 0


def _run_step(step: Step, console: Console, *, as_json: bool) -> bool:
    """Run one step behind a spinner, and print its result."""
    start = time.monotonic()
    result, problem = "", ""
    with console.status(step.title):
        try:
            result = step.run()
        except StepError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - other steps go on; the exit code tells
            problem = f"{type(error).__name__}: {error}"
    seconds = round(time.monotonic() - start, 2)
    if as_json:
        report: dict[str, object] = {"step": step.name, "ok": not problem, "seconds": seconds}
        report["proved" if result else "problem"] = result or problem
        json.dump(report, sys.stdout)
        print(flush=True)  # noqa: T201
    elif problem:
        console.print(f"[red]✗[/] {step.title}  [dim]{seconds} s[/]\n  [red]{problem}[/]")
    else:
        console.print(f"[green]✓[/] {step.title}  [dim]{seconds} s[/]\n  {result}")
    return not problem


def _print_timeline(timeline: localjuju.Timeline, console: Console) -> None:
    colours = {"databag": "cyan", "secret": "magenta", "status": "yellow", "leader": "green"}
    console.print("\nTimeline")
    for entry in timeline.entries("hook", "databag", "secret", "status", "leader", "model"):
        console.print(Text(str(entry), style=colours.get(entry.kind, "")), soft_wrap=True)
