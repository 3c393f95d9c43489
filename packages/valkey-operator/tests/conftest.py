from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import valkey

from valkey_client_testing import Binary, find_binary


@pytest.fixture(scope="session")
def binary() -> Binary:
    return find_binary()


@pytest.fixture
def folder() -> Generator[Path]:
    path = Path(tempfile.mkdtemp(prefix="vk-"))
    yield path
    shutil.rmtree(path)


StartServer = Callable[..., Any]


@pytest.fixture
def start_server(binary: Binary, folder: Path) -> Generator[StartServer]:
    """Starts servers; gives a connection to each, and takes it down after the test."""
    started: list[tuple[subprocess.Popen[bytes], Any]] = []

    def start(*arguments: str, sentinel: bool = False, **login: str) -> Any:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        conf = folder / f"{port}.conf"
        conf.write_text(f"port {port}\nbind 127.0.0.1\ndir {folder}\n")
        more = ["--sentinel"] if sentinel else ["--save", ""]
        process = subprocess.Popen(
            [binary.path, conf, *more, *arguments], stdout=subprocess.DEVNULL
        )
        client = valkey.Valkey(port=port, decode_responses=True, **login)
        started.append((process, client))
        deadline = time.monotonic() + 10
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

    yield start
    for process, client in started:
        client.close()
        process.kill()
        process.wait()
