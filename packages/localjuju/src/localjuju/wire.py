"""How a hook command travels from its process to the model, over a Unix socket.

A request is a count and that many fields, each with its length: the hook's token, the command's
name, its working directory, its standard input, its arguments. The answer is an exit code,
standard output and standard error. All numbers are 32 bit, little endian.

``client.c`` is the other side of it, or ``client.py`` where there is no C compiler.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

_NUMBER = struct.Struct("<I")
_MAXIMUM = 64 * 1024 * 1024


def _receive(connection: socket.socket, size: int) -> bytes:
    chunks = bytearray()
    while len(chunks) < size:
        chunk = connection.recv(min(size - len(chunks), 1 << 16))
        if not chunk:
            raise ConnectionError("the other side closed the connection")
        chunks += chunk
    return bytes(chunks)


def _field(connection: socket.socket) -> bytes:
    (size,) = _NUMBER.unpack(_receive(connection, _NUMBER.size))
    if size > _MAXIMUM:
        raise ConnectionError("a field is too large")
    return _receive(connection, size)


def peer_of(connection: socket.socket) -> int:
    """The process at the other end."""
    size = struct.calcsize("3i")
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(struct.unpack("3i", data)[0])


def read_request(connection: socket.socket) -> list[str]:
    """Token, command, working directory, standard input, arguments."""
    (count,) = _NUMBER.unpack(_receive(connection, _NUMBER.size))
    if not 4 <= count <= 100_000:
        raise ConnectionError("not a request")
    return [_field(connection).decode("utf-8", "surrogateescape") for _ in range(count)]


def write_answer(connection: socket.socket, code: int, out: str, err: str) -> None:
    """Exit code, standard output, standard error."""
    parts = [_NUMBER.pack(code)]
    for text in (out, err):
        data = text.encode("utf-8", "surrogateescape")
        parts += [_NUMBER.pack(len(data)), data]
    connection.sendall(b"".join(parts))


def call(path: str, fields: Sequence[str]) -> tuple[int, str, str]:
    """Send a request and wait for the answer."""
    data = [field.encode("utf-8", "surrogateescape") for field in fields]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        body = b"".join(_NUMBER.pack(len(field)) + field for field in data)
        connection.sendall(_NUMBER.pack(len(data)) + body)
        (code,) = _NUMBER.unpack(_receive(connection, _NUMBER.size))
        out, err = _field(connection), _field(connection)
    return code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
