"""The socket that hook commands and ``juju`` talk to, and the executables that do."""

from __future__ import annotations

import os
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from . import wire


@dataclass(frozen=True)
class Call:
    """One command line.

    Attributes:
        token: The id of the hook that it comes from (``JUJU_CONTEXT_ID``); empty for ``juju``.
        name: The name of the executable.
        directory: The caller's working directory, to which relative paths are relative.
        stdin: Its standard input, if it reads any.
        arguments: Its arguments.
        process: The process that sends it.
    """

    token: str
    name: str
    directory: Path
    stdin: str
    arguments: list[str]
    process: int


Handler = Callable[[Call], tuple[int, str, str]]
"""Answers a command line with exit code, standard output and standard error."""


class Server:
    """Answers on ``agent.sock`` in a directory until it is closed."""

    def __init__(self, root: Path, handler: Handler):
        self.path = str(root / "agent.sock")

        class Request(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    token, name, cwd, stdin, *arguments = wire.read_request(self.request)
                    try:
                        process = wire.peer_of(self.request)
                        call = Call(token, name, Path(cwd), stdin, arguments, process)
                        answer = handler(call)
                    except Exception as error:  # noqa: BLE001 - the caller needs an answer
                        answer = 1, "", f"ERROR {name}: {type(error).__name__}: {error}\n"
                    wire.write_answer(self.request, *answer)
                except (ConnectionError, UnicodeError):
                    return  # the process was killed, or is not one of the model's

        class Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

        self._server = Unix(self.path, Request)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="localjuju-server",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def install_client(root: Path, names: Iterable[str]) -> Path:
    """Put an executable for each command into ``bin`` and return that directory.

    The client is compiled if there is a C compiler: a hook command then takes 1-2 ms instead of
    the 15 ms that it takes to start Python.
    """
    target = root / "bin"
    target.mkdir()
    client = target / "localjuju-client"
    source = Path(__file__).parent
    compiler = shutil.which("cc") or shutil.which("gcc")
    compiled = compiler is not None and (
        subprocess.run(
            [compiler, "-O1", "-o", str(client), str(source / "client.c")],
            # What a compiler that is killed leaves behind is removed with the model.
            env={**os.environ, "TMPDIR": str(root)},
            capture_output=True,
            check=False,
        ).returncode
        == 0
    )
    if not compiled:
        text = (source / "client.py").read_text()
        client.write_text(f"#!{sys.executable} -IS\n{text}")
        client.chmod(0o755)
    for name in names:
        os.link(client, target / name) if compiled else (target / name).symlink_to(client.name)
    return target
