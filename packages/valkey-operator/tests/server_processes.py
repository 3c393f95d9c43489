"""Servers and Sentinels for tests of what they accept."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import valkey

from valkey_client_testing.cluster import free_port


class Servers:
    """Starts servers.

    Args:
        binary: The server's.
        folder: Where they run.
        cleanup: Ends them.
    """

    def __init__(self, binary: Path, folder: Path, cleanup: ExitStack):
        self.folder = folder
        self._binary = binary
        self._cleanup = cleanup

    def start(self, *arguments: str, sentinel: bool = False, **login: str) -> Any:
        """Start a server or Sentinel; returns a connection to it, once it answers."""
        port = free_port()
        conf = self.folder / f"{port}.conf"
        conf.write_text(f"port {port}\nbind 127.0.0.1\ndir {self.folder}\n")
        mode = ["--sentinel"] if sentinel else ["--save", ""]
        process = subprocess.Popen(
            [self._binary, conf, *mode, *arguments], stdout=subprocess.DEVNULL
        )
        self._cleanup.callback(process.wait)
        self._cleanup.callback(process.kill)
        client = valkey.Valkey(port=port, decode_responses=True, **login)
        self._cleanup.callback(client.close)
        deadline = time.monotonic() + 60
        while True:
            try:
                client.ping()
            except valkey.exceptions.ResponseError:
                return client
            except valkey.ConnectionError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return client


@contextmanager
def temporary_servers(binary: Path) -> Generator[Servers]:
    """Servers that end with a ``with`` block, and their folder with them."""
    folder = Path(tempfile.mkdtemp(prefix="vk-"))
    with ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, folder)
        yield Servers(binary, folder, cleanup)


def port_of(connection: Any) -> int:
    """The port of the server of a connection."""
    return connection.connection_pool.connection_kwargs["port"]
