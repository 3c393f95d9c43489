"""The parent of every process that a model starts; it ends them all.

It runs on its own, outside of the terminal's process group, so that Ctrl-C does not reach it.
Whatever a hook leaves running becomes its child (it is a subreaper); when the process that
started it closes the pipe or dies, it kills every descendant and removes the model's directory.

Usage: ``supervisor.py DIRECTORY``, then one JSON object a line on standard input:
``{"id": 1, "argv": [...], "env": {...}, "cwd": "...", "log": "...", "errors": "..."}`` starts a
process and is answered by ``{"id": 1, "pid": 42}`` and, when it ends, ``{"id": 1, "exit": 0}``;
``{"kill": 42}`` kills a process and what it started in its session; ``{"end": true}`` ends all.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_PR_SET_CHILD_SUBREAPER = 36


def descendants(root: int) -> list[int]:
    """The processes that one has started, and those that these have started, and so on."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    processes: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        processes += below
        queue += below
    return processes


def _nothing(_number: int, _frame: object) -> None:
    """For a signal that only has to wake the loop."""


class Supervisor:
    """One run of this program."""

    def __init__(self) -> None:
        self.running: dict[int, int] = {}
        self.buffer = b""

    def send(self, message: dict[str, Any]) -> None:
        """Write a message to the process that started this one."""
        with contextlib.suppress(BrokenPipeError):  # the next read sees the end of the input
            os.write(1, json.dumps(message).encode() + b"\n")

    def spawn(self, order: dict[str, Any]) -> None:
        """Start a process in a session of its own."""
        try:
            with Path(order["log"]).open("ab") as log, Path(order["errors"]).open("ab") as errors:
                process = subprocess.Popen(
                    order["argv"],
                    env=order["env"],
                    cwd=order["cwd"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=errors,
                    start_new_session=True,
                )
        except OSError as error:
            Path(order["log"]).write_text(f"{error}\n")
            self.send({"id": order["id"], "pid": 0})
            self.send({"id": order["id"], "exit": 127})
            return
        process.returncode = 0  # reaped below, not by Popen
        self.running[process.pid] = order["id"]
        self.send({"id": order["id"], "pid": process.pid})

    def reap(self) -> None:
        """Collect every child that has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.running:
                code = os.waitstatus_to_exitcode(status)
                self.send({"id": self.running.pop(pid), "exit": code})

    def read(self) -> bool:
        """Carry out the messages that have arrived; False at the end of the input."""
        data = os.read(0, 1 << 16)
        self.buffer += data
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "end" in order:
                return False
            if "kill" in order:
                self.kill(order["kill"])
            else:
                self.spawn(order)
        return bool(data)

    def kill(self, pid: int) -> None:
        """Kill a process and its session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)

    def run(self, directory: str) -> None:
        """Work until the input ends, then clean up."""
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Not SIG_IGN: that would be inherited by every hook, and by all that hooks start.
            signal.signal(number, _nothing)
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        signal.signal(signal.SIGCHLD, _nothing)
        with selectors.DefaultSelector() as selector:
            selector.register(0, selectors.EVENT_READ)
            selector.register(reader, selectors.EVENT_READ)
            # The pipe alone does not tell: a fork of the parent may hold its other end.
            parent = os.pidfd_open(os.getppid())
            selector.register(parent, selectors.EVENT_READ)
            alive = True
            while alive:
                for key, _ in selector.select():
                    if key.fd == 0:
                        alive = self.read() and alive
                    elif key.fd == parent:
                        alive = False
                    else:
                        os.read(reader, 1 << 12)
                self.reap()
        self.clean_up(directory)

    def clean_up(self, directory: str) -> None:
        """Kill all descendants until none is left, and remove the files."""
        deadline = time.monotonic() + 10
        while (alive := descendants(os.getpid())) and time.monotonic() < deadline:
            for pid in alive:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.01)
            self.reap()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    Supervisor().run(sys.argv[1])
