"""How a client handles errors: which Sentinel to believe, what to repeat, when to give up.

Pure decisions, used by the blocking and the asyncio client.
"""

from __future__ import annotations

import contextlib
import re
import ssl
import time
from collections.abc import Generator, Iterable, Mapping
from contextvars import ContextVar
from typing import Any

from valkey.backoff import EqualJitterBackoff
from valkey.commands.cluster import READ_COMMANDS
from valkey.credentials import CredentialProvider
from valkey.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,  # noqa: A004 - valkey-py's own, by its name
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004
    ValkeyError,
)

from ._source import Source
from ._tls import UnusableError

ROLE_INTERVAL = 5.0
"""Seconds between two checks that a connection's server is the primary."""

SILENCE = 10.0
"""Seconds for which a Sentinel that did not answer is not asked, while others answer."""

_REFUSALS = ("NOREPLICAS ", "MASTERDOWN ", "UNBLOCKED force unblock")
_REFUSED = re.compile(r"ALERT.*(_CA|CERTIFICATE|ACCESS_DENIED)")
_READS = READ_COMMANDS - {"GEORADIUS", "GEORADIUSBYMEMBER"}
"""Without the two that can also store their result."""


class RepeatError(ConnectionError):
    """An error after which the same command may be sent again; the caller never gets it.

    Attributes:
        cause: The error for the caller, if there is no time left.
    """

    def __init__(self, cause: ValkeyError):
        super().__init__(str(cause))
        self.cause = cause


class NotPrimaryError(ConnectionError):
    """The server is a replica."""


class Credentials(CredentialProvider):
    """The current account, for each new connection."""

    def __init__(self, source: Source):
        self._source = source

    def get_credentials(self) -> tuple[str, str]:
        """User name and password."""
        return self._source.access.username, self._source.access.password


class Backoff(EqualJitterBackoff):
    """How long to wait between attempts.

    Short, because an attempt is a few small requests and every outage gets longer by the wait;
    random, because all clients lose the primary at the same time.
    """

    def __init__(self) -> None:
        super().__init__(cap=0.15, base=0.01)

    def compute(self, failures: int) -> float:
        """Seconds; a large number of failures would overflow the float."""
        return super().compute(min(failures, 10))


def is_final(error: BaseException) -> bool:
    """Whether only another password or certificate can help."""
    if isinstance(error, AuthenticationError):
        return True
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError | UnusableError):
        return True
    # The server refused the client's certificate. If it closes the connection before this is
    # read, one of the next attempts reads it.
    return isinstance(cause, ssl.SSLError) and bool(_REFUSED.search(cause.reason or ""))


def is_refusal(error: Exception) -> bool:
    """Whether a server refused a command for a reason that belongs to a failover.

    It was demoted (``READONLY``; ``UNBLOCKED`` in a blocking command), it was just promoted and
    has no replicas yet (``NOREPLICAS``), it is starting (``LOADING``) or it lost its primary
    (``MASTERDOWN``). Not ``BUSY``, ``OOM`` and ``MISCONF``: another connection would get the same
    error. ``CLUSTERDOWN`` belongs to another mode.
    """
    if isinstance(error, ReadOnlyError | BusyLoadingError):
        return True
    # A pipeline puts the number and the text of the command before the server's message, that of
    # asyncio also brackets around it.
    message = str(error).rpartition("caused error: ")[2].lstrip("('\"")
    return isinstance(error, ResponseError) and message.startswith(_REFUSALS)


def may_repeat(command: Any, error: Exception) -> bool:
    """Whether a command may be sent again after this error.

    Yes if it was not carried out, or if it only reads. No if its answer was lost.
    """
    if isinstance(error, RepeatError):
        return False
    if isinstance(error, ConnectionError | TimeoutError) and str(command).upper() in _READS:
        return True
    return is_refusal(error)


def newest(states: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The states of the primary with the highest epoch, the most reliable one first.

    Each failover raises ``config-epoch``. The Sentinel that leads it reports the new epoch with
    the old address until the failover ends, about 1 s after the others have changed (Valkey 8.0,
    9.1). Meanwhile it has the flag ``failover_in_progress``.
    """
    listed = list(states)
    latest = max((state["config-epoch"] for state in listed), default=0)
    return sorted(
        (state for state in listed if state["config-epoch"] == latest),
        key=lambda state: "failover_in_progress" in state["flags"],
    )


class Limit:
    """The time that a call has left; it starts with the first error."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._until: float | None = None

    def check(self, error: Exception) -> None:
        """Raise the error if there is no time left, or if repeating cannot help."""
        now = time.monotonic()
        if self._until is None:
            self._until = now + self._seconds
        cause = error.cause if isinstance(error, RepeatError) else error
        if now >= self._until or is_final(cause):
            raise cause


_limit: ContextVar[Limit | None] = ContextVar("limit", default=None)


@contextlib.contextmanager
def limited(seconds: float) -> Generator[Limit]:
    """The limit of the current call.

    valkey-py nests retries: to send a command it may have to connect. They share the limit of the
    outermost call of the thread or task.
    """
    shared = _limit.get()
    if shared is not None:
        yield shared
        return
    own = Limit(seconds)
    token = _limit.set(own)
    try:
        yield own
    finally:
        _limit.reset(token)
