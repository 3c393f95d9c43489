"""What only the asyncio client has: valkey-py's classes, sockets, questions to many servers."""

# valkey-py leaves most of what is extended here without annotations.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any

from valkey.asyncio import ConnectionPool, Valkey
from valkey.asyncio.client import Pipeline, PubSub
from valkey.asyncio.connection import Connection
from valkey.asyncio.retry import Retry
from valkey.asyncio.sentinel import (
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

    def _connection_arguments(self) -> dict[str, Any]:
        return {**super()._connection_arguments(), "ssl": self.tls.context(self.host)}

    async def _connect(self) -> None:
        await super()._connect()
        writer: Any = self._writer
        self.has_tls = writer.get_extra_info("ssl_object") is not None
        if self.has_tls:
            try:
                self.tls.check(self.host, writer.get_extra_info("peercert"))
            except OSError:
                await self.disconnect(nowait=True)
                raise


class ManagedConnection(SecuredConnection, SentinelManagedConnection):
    """A connection to a server that Sentinels name."""

    @contextlib.contextmanager
    def attempt(self) -> Generator[None]:
        """Everything inside gets the time of a connection attempt, not that of a command."""
        timeout, self.socket_timeout = self.socket_timeout, self.socket_connect_timeout
        try:
            yield
        finally:
            self.socket_timeout = timeout

    async def can_read_destructive(self) -> bool:
        """Before a command: see whether the server has closed the connection in the meantime.

        valkey-py looks at what the event loop has read and does not let it read. The loop takes
        one iteration to notice that data has come, and one to read it.
        """
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await super().can_read_destructive()


async def ask_all(
    question: Callable[[Any], Awaitable[Any]], servers: Sequence[Any]
) -> list[tuple[Any, Any]]:
    """Each server with its answer, or with the exception in place of one; all at the same time."""
    answers = await asyncio.gather(*map(question, servers), return_exceptions=True)
    return list(zip(servers, answers, strict=True))
