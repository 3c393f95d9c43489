"""Connections to the servers of a provider with the account that it granted."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Generator
from typing import Any

import valkey
import valkey.exceptions

from valkey_client import Endpoint

from ..results import NotApplicable, Violation
from .account import Account

_TIMEOUT = 20.0


@contextlib.contextmanager
def connect(account: Account, endpoint: Endpoint, database: int = 0) -> Generator[Any]:
    """A client of one server, in one of its databases, or of a Sentinel.

    Raises:
        Violation: If there is no answer.
        NotApplicable: If TLS fails, which another check reports.
        valkey.AuthenticationError: On the first command, if the server refuses the account.
    """
    tls: dict[str, Any] = {"ssl": True, "ssl_ca_data": account.tls_ca} if account.tls else {}
    client = valkey.Valkey(
        endpoint.host,
        endpoint.port,
        db=database,
        username=account.username,
        password=account.password,
        decode_responses=True,
        socket_timeout=_TIMEOUT,
        socket_connect_timeout=_TIMEOUT,
        **tls,
    )
    try:
        yield client
    except valkey.AuthenticationError:
        raise
    except (valkey.ConnectionError, valkey.TimeoutError, ssl.SSLError) as error:
        if account.tls and _is_tls_error(error):
            raise NotApplicable(f"TLS with {endpoint} and tls-ca fails: {error}") from None
        raise Violation(f"{endpoint}: {error}") from None
    finally:
        client.close()


def _is_tls_error(error: BaseException) -> bool:
    """Whether TLS itself failed; the client keeps that as the context of its own error."""
    inner = error.__cause__ or error.__context__
    return isinstance(error, ssl.SSLError) or isinstance(inner, ssl.SSLError)


@contextlib.contextmanager
def log_in(account: Account, endpoint: Endpoint, database: int = 0) -> Generator[Any]:
    """A client of a server or Sentinel that is expected to accept the account.

    Raises:
        NotApplicable: If it refuses the account, which another check reports.
    """
    try:
        with connect(account, endpoint, database) as client:
            yield client
    except valkey.AuthenticationError:
        raise NotApplicable(f"the account cannot log in on {endpoint}") from None


def can_log_in(account: Account, endpoint: Endpoint) -> bool:
    """Whether a server or Sentinel accepts the account."""
    try:
        with connect(account, endpoint) as client:
            client.execute_command("PING")
    except valkey.AuthenticationError:
        return False
    except valkey.exceptions.NoPermissionError:
        return True
    return True


def permission_error(client: Any, *command: str) -> str:
    """Run a command.

    Returns:
        The server's error if the account lacks the permission; empty if the command succeeds.

    Raises:
        Violation: If the command fails for another reason.
        NotApplicable: If the server refuses the account.
    """
    try:
        client.execute_command(*command)
    except valkey.exceptions.NoPermissionError as error:
        return str(error)
    except valkey.AuthenticationError:
        raise NotApplicable("the account cannot log in") from None
    except valkey.ResponseError as error:
        if "ACL failure" in str(error):  # the error of a script, on 8.0 and 9.1
            return str(error)
        raise Violation(f"{' '.join(command)}: {error}") from None
    return ""


def primary_by_sentinel(account: Account, endpoint: Endpoint) -> tuple[str, int] | None:
    """The primary's host and port according to a Sentinel; None if it does not know the name.

    Raises:
        NotApplicable: If the account cannot log in or lacks the permission to ask.
    """
    command = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", account.primary_name)
    with log_in(account, endpoint) as client:
        try:
            address = client.execute_command(*command)
        except valkey.exceptions.NoPermissionError:
            raise NotApplicable(f"the account lacks permission to ask {endpoint}") from None
    return (str(address[0]), int(address[1])) if address else None
