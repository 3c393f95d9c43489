"""One server or Sentinel, spoken to as the charm's own account."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Sequence
from typing import Any

from .internal import ADMIN

TIMEOUT = 2.0
"""Seconds that a server may take to answer; one that does not is taken for unreachable."""


class ServerError(Exception):
    """A server does not do what it was asked for, or does not answer."""


class RefusedError(ServerError):
    """A server answered that it does not do what it was asked for."""


class Connection:
    """A connection to one server or Sentinel."""

    def __init__(self, address: str, port: int, password: str):
        # A third of what the charm imports; most hooks are about a relation in which there is
        # nothing to do, and ask no server.
        import valkey  # noqa: PLC0415

        self._client: Any = valkey.Valkey(
            host=address,
            port=port,
            username=ADMIN,
            password=password,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            decode_responses=True,
            client_name="charm",
        )
        self._refusal = valkey.ResponseError
        self._failure = valkey.ValkeyError

    def ask(self, *command: str | int) -> Any:
        """Send one command and return its answer.

        Raises:
            RefusedError: If the server refuses it.
            ServerError: If it does not answer.
        """
        with self._own_errors():
            return self._client.execute_command(*command)

    def ask_all(
        self, commands: Iterable[Sequence[str | int]], *, atomically: bool = False
    ) -> list[Any]:
        """Send commands at once, as a transaction if so wanted, and return their answers.

        Raises:
            RefusedError: If the server refuses one.
            ServerError: If it does not answer.
        """
        with self._own_errors(), self._client.pipeline(transaction=atomically) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return pipe.execute()

    @contextlib.contextmanager
    def _own_errors(self) -> Generator[None]:
        try:
            yield
        except self._refusal as error:
            raise RefusedError(str(error)) from error
        except self._failure as error:
            raise ServerError(str(error)) from error

    def close(self) -> None:
        """Close it."""
        self._client.close()
