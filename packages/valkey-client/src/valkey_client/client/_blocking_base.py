"""What only the blocking client has: valkey-py's classes, sockets, questions to many servers."""

# valkey-py leaves most of what is extended here without annotations.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from typing import Any

from valkey import ConnectionPool, Valkey
from valkey.client import Pipeline, PubSub
from valkey.connection import Connection
from valkey.exceptions import (
    ConnectionError,  # noqa: A004
    TimeoutError,  # noqa: A004
)
from valkey.retry import Retry
from valkey.sentinel import (
    MasterNotFoundError,
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SlaveNotFoundError,
)

from ._tls import Tls

__all__ = [
    "ConnectionPool",
    "ManagedConnection",
    "MasterNotFoundError",
    "Pipeline",
    "PubSub",
    "Retry",
    "SecuredConnection",
    "Sentinel",
    "SentinelConnectionPool",
    "SentinelManagedConnection",
    "SlaveNotFoundError",
    "Valkey",
    "ask_all",
]


class SecuredConnection(Connection):
    """A connection with TLS or without, as the provider says when it is made."""

    def __init__(self, *, tls: Tls, **options: Any):
        self.tls = tls
        self.has_tls = False
        super().__init__(**options)

    def _connect(self) -> Any:
        context = self.tls.context(self.host)
        sock = super()._connect()
        self.has_tls = context is not None
        if context is None:
            return sock
        sock.settimeout(self.socket_connect_timeout)
        try:
            secured = context.wrap_socket(sock, server_hostname=self.host)
        except OSError:
            sock.close()
            raise
        try:
            self.tls.check(self.host, secured.getpeercert())
        except OSError:
            secured.close()
            raise
        secured.settimeout(self.socket_timeout)
        return secured


class ManagedConnection(SecuredConnection, SentinelManagedConnection):
    """A connection to a server that Sentinels name."""

    @contextlib.contextmanager
    def attempt(self) -> Generator[None]:
        """Everything inside gets the time of a connection attempt, not that of a command.

        After an error the socket is closed, so that its timeout is not set back.
        """
        sock: Any = self._sock
        sock.settimeout(self.socket_connect_timeout)
        yield
        sock.settimeout(self.socket_timeout)


def ask_all(question: Callable[[Any], Any], servers: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Each server with its answer, or with the exception in place of one; one after the other.

    Raises:
        Exception: Any error but that a server cannot be reached.
    """
    answers: list[tuple[Any, Any]] = []
    for server in servers:
        try:
            answers.append((server, question(server)))
        except (ConnectionError, TimeoutError) as error:
            answers.append((server, error))
    return answers
