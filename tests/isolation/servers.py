"""Servers of this machine, started for a test, and their administrator."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Generator, Sequence
from typing import Any

from valkey.connection import Connection

from valkey_client_testing import Binary
from valkey_client_testing.cluster import free_port
from valkey_operator.rules.accounts import password_digest

from .table import Command, read_table
from .wire import Wire

ADMIN = "admin"
PASSWORD = "password"
SHA = password_digest(PASSWORD)
"""Every account has this password; whose it is says the name."""

PATIENCE = 60.0
"""Seconds that a server may take to start."""


@contextlib.contextmanager
def running(binary: Binary, arguments: Sequence[str], port: int) -> Generator[Wire]:
    """A server; gives its administrator's connection, and ends it."""
    process = subprocess.Popen([binary.path, *arguments], stdout=subprocess.DEVNULL)
    try:
        with _connect(process, port) as wire:
            yield wire
    finally:
        process.kill()
        process.wait()


def _connect(process: subprocess.Popen[bytes], port: int) -> Wire:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return Wire(port, ADMIN, PASSWORD)
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def table_of(port: int) -> dict[str, Command]:
    """The command table of a server, asked for by its administrator."""
    connection = Connection(
        port=port, username=ADMIN, password=PASSWORD, protocol=3, decode_responses=True
    )

    def ask(*words: str) -> Any:
        connection.send_command(*words)
        return connection.read_response()

    try:
        return read_table(ask)
    finally:
        connection.disconnect()


def free_ports(count: int) -> list[int]:
    """Ports of this machine on which nobody listens."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return [*ports]
