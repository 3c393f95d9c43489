"""A connection that shows every byte the server sends, in whatever state it is."""

from __future__ import annotations

import socket
from typing import Self

Words = tuple[str, ...]

MARK = "end-of-the-attempt"
_END: Words = ("PING", MARK)
_MARK = f"${len(MARK)}\r\n{MARK}\r\n".encode()

PATIENCE = 60.0
"""Seconds to wait for a server that answers for certain."""


class Wire:
    """A connection in RESP3.

    ``is_answered`` says whether all that was asked last has been answered.

    A client library reads replies one by one and so cannot show what a connection gets that was
    put into another state: subscribed, tracking, monitoring, silent, closed.
    """

    def __init__(self, port: int, name: str, password: str, database: int = 0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Read with the first answer: most connections here are for a single call.
        self._unread = 1
        self.is_answered = True
        login: Words = ("HELLO", "3", "AUTH", name, password)
        self.send(*([login, ("SELECT", str(database))] if database else [login]), _END)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def address(self) -> str:
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def ask(self, *commands: Words, patience: float = PATIENCE) -> bytes:
        """Send commands at once; returns all that comes until they are answered.

        A connection that answers no more, because it is closed or was told to be silent, gives
        what it gave within the patience (seconds).
        """
        return b"".join(self._exchange([*commands, _END], patience))

    def ask_each(self, *commands: Words) -> list[bytes]:
        """Send commands at once; returns the answer to each."""
        return self._exchange([words for one in commands for words in (one, _END)], PATIENCE)[:-1]

    def _exchange(self, commands: list[Words], patience: float) -> list[bytes]:
        """All that comes until the last mark, parted at the marks."""
        marks = commands.count(_END) + self._unread
        received = bytearray()
        self._socket.settimeout(PATIENCE)
        try:
            self.send(*commands)
            while (seen := received.count(_MARK)) < marks:
                # The login is answered for certain, what follows it perhaps not.
                self._socket.settimeout(patience if seen >= self._unread else PATIENCE)
                part = self._socket.recv(65536)
                if not part:
                    break
                received += part
        except (TimeoutError, ConnectionError):
            pass
        answers = bytes(received).split(_MARK)
        self.is_answered = len(answers) > marks
        if self._unread:
            welcome = answers.pop(0)
            if not welcome.startswith(b"%"):
                raise ConnectionError(f"no login: {welcome[:80]!r}")
            self._unread = 0
        return answers

    def send(self, *commands: Words) -> None:
        self._socket.sendall(b"".join(map(_pack, commands)))

    def arrived(self) -> bytes:
        """What has come unasked; empty too if the connection is closed."""
        self._socket.settimeout(0)
        try:
            return self._socket.recv(65536).replace(_MARK, b"")
        except (BlockingIOError, ConnectionError):
            return b""

    def receive(self, expected: bytes) -> bytes:
        """As many bytes as are expected, or what there was of them before the end."""
        received = b""
        self._socket.settimeout(PATIENCE)
        while len(received) < len(expected):
            part = self._socket.recv(len(expected) - len(received))
            if not part:
                break
            received += part
        return received

    def is_open(self) -> bool:
        """Whether the other side still holds it; leaves what has arrived in place."""
        self._socket.settimeout(0)
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except ConnectionError:
            return False


def _pack(words: Words) -> bytes:
    encoded = [word.encode() for word in words]
    return b"".join(
        [b"*%d\r\n" % len(encoded), *(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)]
    )
