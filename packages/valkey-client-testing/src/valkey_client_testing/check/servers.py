"""Talking to the servers of a provider with the account that it gave."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Generator
from typing import Any

import valkey
import valkey.exceptions

from valkey_client import Endpoint

from .provider_bench import Account
from .results import NotApplicable, Violation

_TIMEOUT = 20.0


@contextlib.contextmanager
def connect(account: Account, endpoint: Endpoint, database: int = 0) -> Generator[Any]:
    """A client of one server, in one of its databases, or of a Sentinel.

    Raises:
        Violation: If nobody answers there.
        NotApplicable: If TLS fails, which is another check's finding.
        valkey.AuthenticationError: On the first command, if it does not know the account.
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
        if account.tls and _is_of_tls(error):
            raise NotApplicable(f"{endpoint} and tls-ca do not go together: {error}") from None
        raise Violation(f"{endpoint}: {error}") from None
    finally:
        client.close()


def _is_of_tls(error: BaseException) -> bool:
    """Whether TLS itself failed; the client keeps that as the context of its own error."""
    inner = error.__cause__ or error.__context__
    return isinstance(error, ssl.SSLError) or isinstance(inner, ssl.SSLError)


def can_log_in(account: Account, endpoint: Endpoint) -> bool:
    """Whether a server or Sentinel knows the account."""
    try:
        with connect(account, endpoint) as client:
            client.execute_command("PING")
    except valkey.AuthenticationError:
        return False
    except valkey.exceptions.NoPermissionError:
        return True
    return True


def refusal(client: Any, *command: str) -> str:
    """What the server says against a command; empty if it carries it out.

    Raises:
        Violation: If the command fails for another reason than missing rights.
    """
    try:
        client.execute_command(*command)
    except valkey.exceptions.NoPermissionError as error:
        return str(error)
    except valkey.AuthenticationError:
        raise NotApplicable("the account cannot log in") from None
    except valkey.ResponseError as error:
        if "ACL failure" in str(error):  # how a script says it, on 8.0 and 9.1
            return str(error)
        raise Violation(f"{' '.join(command)}: {error}") from None
    return ""


@contextlib.contextmanager
def on_primary(account: Account, endpoint: Endpoint, database: int = 0) -> Generator[Any]:
    """A client of the primary.

    Raises:
        NotApplicable: If the account cannot log in, which is another check's finding.
    """
    try:
        with connect(account, endpoint, database) as client:
            yield client
    except valkey.AuthenticationError:
        raise NotApplicable(f"the account cannot log in on {endpoint}") from None
