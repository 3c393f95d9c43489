"""A connection to one server or Sentinel, as the charm's own account."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Generator, Iterable, Sequence
from typing import Any

from ..model.trust import PLAIN, Trust
from ..rules.internal_accounts import ADMIN

TIMEOUT = 2.0
"""Seconds that a server may take to answer; then it counts as unreachable."""

SHORT_TIMEOUT = 0.3
"""The same for one that Sentinels already take for down."""


class ServerError(Exception):
    """A server refuses a command or does not answer."""


class RefusedError(ServerError):
    """A server refuses a command; it does answer."""

    @property
    def is_idle_sentinel(self) -> bool:
        """Whether a Sentinel says that it does not monitor the primary."""
        return "No such master" in str(self) or "No such primary" in str(self)


class NoLoginError(ServerError):
    """A server is there and does not let the charm log in.

    Attributes:
        is_full: Whether clients hold all of its connections (``maxclients``); if not, the charm's
            own account was changed. A server that speaks TLS tells only the latter.
    """

    def __init__(self, message: str, *, is_full: bool):
        super().__init__(message)
        self.is_full = is_full


class Connection:
    """A connection to one server or Sentinel.

    Args:
        address: Where it listens.
        port: Where it listens.
        password: Of the charm's own account.
        trust: Whether to expect TLS.
        timeout: Seconds that it may take to answer.
    """

    def __init__(
        self,
        address: str,
        port: int,
        password: str,
        trust: Trust = PLAIN,
        timeout: float = TIMEOUT,
    ):
        # Importing it is a third of the charm's import cost, and most hooks ask no server.
        import valkey  # noqa: PLC0415

        self._valkey: Any = valkey
        self._address, self._port = address, port
        self._options: dict[str, Any] = {
            "host": address,
            "port": port,
            "username": ADMIN,
            "password": password,
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "decode_responses": True,
            "client_name": "charm",
            "valkey_connect_func": self._log_in,
        }
        self._trust = trust
        self._timeout = timeout
        self._connection: Any = None
        self._is_logging_in = False
        self.is_tls = False

    def ask(self, *command: str | int) -> Any:
        """Send one command and return its answer.

        Raises:
            RefusedError: If the server refuses it.
            ServerError: If it does not answer.
        """
        self._is_logging_in = False
        with self._translated_errors():
            return self._client().execute_command(*command)

    def ask_all(
        self, commands: Iterable[Sequence[str | int]], *, atomically: bool = False
    ) -> list[Any]:
        """Send commands at once, as a transaction if so wanted, and return their answers.

        Raises:
            RefusedError: If the server refuses one.
            ServerError: If it does not answer.
        """
        self._is_logging_in = False
        with self._translated_errors(), self._client().pipeline(transaction=atomically) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return pipe.execute()

    def refuses_password(self) -> bool:
        """Whether a server is there and the charm's account on it is not as it should be."""
        try:
            self.ask("PING")
        except NoLoginError as error:
            return not error.is_full
        except ServerError:
            pass
        return False

    def _log_in(self, connection: Any) -> None:
        """Log in, and never be the one whose end makes room (``maxmemory-clients``)."""
        self._is_logging_in = True
        connection.on_connect()
        connection.send_command("CLIENT", "NO-EVICT", "ON")
        connection.read_response()
        self._is_logging_in = False

    def _client(self) -> Any:
        """The client, with TLS if the server speaks it."""
        if self._connection is None:
            expects_tls = self._trust.expects_tls(self._address)
            if expects_tls is None:
                expects_tls = not _is_plain(self._address, self._port, self._timeout)
            self.is_tls = expects_tls
            tls = self._tls() if self.is_tls else {}
            self._connection = self._valkey.Valkey(**self._options, **tls)
        return self._connection

    def _tls(self) -> dict[str, Any]:
        if self._address == self._trust.own_address:
            return {"ssl": True, "ssl_cert_reqs": "none"}
        # The chain alone is verified, as servers do among themselves with the same passwords.
        return {"ssl": True, "ssl_ca_data": self._trust.cas}

    @contextlib.contextmanager
    def _translated_errors(self) -> Generator[None]:
        try:
            yield
        except self._valkey.ResponseError as error:
            raise RefusedError(str(error)) from error
        except self._valkey.AuthenticationError as error:
            raise NoLoginError(str(error), is_full=False) from error
        except self._valkey.ConnectionError as error:
            # With TLS, ending the handshake is all that a full server can do.
            is_loading = isinstance(error, self._valkey.BusyLoadingError)
            has_ended = self._is_logging_in or (self.is_tls and _ends_handshake(error))
            if has_ended and not is_loading:
                raise NoLoginError(str(error), is_full=True) from error
            raise ServerError(str(error)) from error
        except (self._valkey.ValkeyError, OSError) as error:
            raise ServerError(str(error)) from error

    def close(self) -> None:
        """Close it."""
        if self._connection is not None:
            self._connection.close()


def _ends_handshake(error: BaseException) -> bool:
    """Whether a server has closed a connection before TLS was agreed upon."""
    cause = error.__cause__ or error.__context__
    return isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError))


def _is_plain(address: str, port: int, timeout: float) -> bool:
    """Ask a server, without sending any secret, whether it speaks plain.

    One that speaks TLS takes this for an error and closes the connection. Asked in
    TLS instead, a plain server would wait for the end of what it takes for a command.

    Raises:
        OSError: If it does not answer.
    """
    with socket.create_connection((address, port), timeout) as connection:
        connection.settimeout(timeout)
        try:
            connection.sendall(b"PING\r\n")
            return connection.recv(1) in {b"+", b"-"}
        except ConnectionError:
            return False
