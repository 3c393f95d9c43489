"""Forks a charm's interpreter for every hook. Runs in the charm's environment, on its own.

Usage: ``zygote.py SOCKET ENTRY_POINT``, in a charm directory. Each connection sends one JSON
line with ``env``, ``cwd`` and ``log`` and gets ``{"exit": CODE}`` when the hook has ended.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

_SIMPLE = frozenset(
    {
        *("input", "text", "encoding", "universal_newlines", "check", "capture_output"),
        *("stdout", "stderr"),
    }
)
_NUMBER = struct.Struct("<I")


def _call(path: str, fields: Sequence[bytes]) -> tuple[int, bytes, bytes]:
    """One hook command over the model's socket; the protocol is that of the client."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        data = b"".join(_NUMBER.pack(len(field)) + field for field in fields)
        connection.sendall(_NUMBER.pack(len(fields)) + data)
        with connection.makefile("rb") as answer:
            (code,) = _NUMBER.unpack(answer.read(4))
            out = answer.read(_NUMBER.unpack(answer.read(4))[0])
            err = answer.read(_NUMBER.unpack(answer.read(4))[0])
    return code, out, err


def _take_over_hook_commands(path: str, directory: str) -> None:
    """Let ``subprocess.run`` of a hook command go over the socket, without a process."""
    tools = frozenset(entry.name for entry in Path(directory).iterdir())
    original: Any = subprocess.run

    def run(*args: Any, **options: Any) -> Any:
        command = cast("Any", args[0] if args else None)
        captures = options.get("capture_output") or (
            options.get("stdout") == subprocess.PIPE and options.get("stderr") == subprocess.PIPE
        )
        is_tool = type(command) in {list, tuple} and bool(command) and command[0] in tools
        simple = options.keys() <= _SIMPLE
        if not (captures and is_tool and simple and command[0] not in {"juju", "juju-exec"}):
            return original(*args, **options)
        encoding = options.get("encoding") or (
            "utf-8" if options.get("text") or options.get("universal_newlines") else None
        )
        stdin = options.get("input") or b""
        if isinstance(stdin, str):
            stdin = stdin.encode(encoding or "utf-8")
        token = os.environb.get(b"JUJU_CONTEXT_ID", b"")
        words = [os.fsencode(word) for word in command]
        code, out, err = _call(path, [token, words[0], os.getcwdb(), stdin, *words[1:]])  # noqa: PTH109
        output: Any = (out.decode(encoding), err.decode(encoding)) if encoding else (out, err)
        if options.get("check") and code:
            raise subprocess.CalledProcessError(code, command, *output)
        return subprocess.CompletedProcess(command, code, *output)

    subprocess.run = run  # pyright: ignore[reportAttributeAccessIssue]


def _move(home: str, target: str) -> None:
    """Import from the directory of the hook's own unit, not of the unit that was preloaded."""
    for position, path in enumerate(sys.path):
        if path.startswith(home + os.sep):
            sys.path[position] = target + path.removeprefix(home)


def _hook(order: dict[str, Any], entry_point: str, imported: Path) -> NoReturn:
    """Become the hook, in the fork, and never return."""
    code = 1
    preloaded = frozenset(sys.modules)
    home = os.getcwd()  # noqa: PTH109
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ.clear()
        os.environ.update(order["env"])
        os.chdir(order["cwd"])
        _move(home, order["cwd"])
        sys.argv[:] = [entry_point]
        directory = os.environ["LOCALJUJU_TOOLS"]
        _take_over_hook_commands(os.environ["JUJU_AGENT_SOCKET_ADDRESS"], directory)
        runpy.run_path(entry_point, run_name="__main__")
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - a process that ends here, as an interpreter would
        traceback.print_exc()
    finally:
        try:
            # What an interpreter does at its end.
            threading._shutdown()  # pyright: ignore # noqa: PGH003, SLF001
            atexit._run_exitfuncs()  # pyright: ignore # noqa: PGH003, SLF001
            sys.stdout.flush()
            sys.stderr.flush()
            if new := [name for name in sys.modules if name not in preloaded]:
                imported.write_text("\n".join(new))
        finally:
            os._exit(code & 0xFF)


def _send(connection: socket.socket, message: dict[str, int]) -> None:
    with contextlib.suppress(OSError):  # the model may have given up on this hook
        connection.sendall(json.dumps(message).encode() + b"\n")


def _catch_up(imported: Path) -> None:
    """Import what a hook has imported while it ran, so that the next one need not."""
    try:
        names = imported.read_text().split()
        imported.unlink()
    except FileNotFoundError:
        return
    for name in names:
        with contextlib.suppress(BaseException):  # it may need what only a hook has
            importlib.import_module(name)
    gc.freeze()


def main() -> None:
    """Import what the charm imports, then fork for every hook."""
    path, entry_point = sys.argv[1:]
    imported = Path(path + ".imported")
    del sys.path[0]  # this script's own directory
    with contextlib.suppress(BaseException):  # the hook itself will say what is wrong
        runpy.run_path(entry_point, run_name="localjuju_preload")
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path + ".new")
        listener.listen(4)
        Path(path + ".new").rename(path)
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                line = lines.readline()
                if not line:
                    continue
                order = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    listener.close()
                    _hook(order, entry_point, imported)
                _send(connection, {"pid": pid})
                _, status = os.waitpid(pid, 0)
                _send(connection, {"exit": os.waitstatus_to_exitcode(status)})
            _catch_up(imported)


if __name__ == "__main__":
    main()
