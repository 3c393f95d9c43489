"""Find the process behind an endpoint and kill it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from valkey_client import Endpoint

from ..results import NotApplicable

_LISTENING = "0A"


def kill_listener(endpoint: Endpoint, directory: Path) -> None:
    """SIGKILL the process that listens on an endpoint.

    Only a process with its working directory or an open file in the model's directory is killed.

    Raises:
        NotApplicable: If there is no such process.
    """
    sockets = {f"socket:[{inode}]" for inode in _inodes(endpoint)}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            paths = (process / "cwd", *(process / "fd").iterdir())
            links = {str(path.readlink()) for path in paths}
            if links & sockets and any(Path(link).is_relative_to(directory) for link in links):
                os.kill(int(process.name), signal.SIGKILL)
                return
    raise NotApplicable(f"no process of this model listens on {endpoint}")


def _inodes(endpoint: Endpoint) -> Iterator[str]:
    """Inodes of the sockets that listen on an IPv4 address, or on all addresses."""
    (packed,) = struct.unpack("=I", socket.inet_aton(endpoint.host))
    wanted = {f"{packed:08X}:{endpoint.port:04X}", f"00000000:{endpoint.port:04X}"}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] in wanted and fields[3] == _LISTENING:
            yield fields[9]
