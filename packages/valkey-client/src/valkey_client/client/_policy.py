"""What a client does about an error: whom to believe, what to send again, when to give up.

Nothing here talks to a server; the connections of both kinds, blocking and asyncio, ask here.
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
"""Seconds for which a connection's server is taken for the primary without asking it."""

SILENCE = 10.0
"""Seconds for which a Sentinel that did not answer is left alone while others do."""

_REFUSALS = ("NOREPLICAS ", "MASTERDOWN ", "UNBLOCKED force unblock")
_REFUSED = re.compile(r"ALERT.*(_CA|CERTIFICATE|ACCESS_DENIED)")
_READS = READ_COMMANDS - {"GEORADIUS", "GEORADIUSBYMEMBER"}
"""Without the two that can store what they find."""


class RepeatError(ConnectionError):
    """Carries an error after which the same may be sent again; it does not reach the caller.

    Attributes:
        cause: What the caller gets if there is no time left.
    """

    def __init__(self, cause: ValkeyError):
        super().__init__(str(cause))
        self.cause = cause


class NotPrimaryError(ConnectionError):
    """The server that was found is a replica."""


class Credentials(CredentialProvider):
    """The account of now, for each connection that is made."""

    def __init__(self, source: Source):
        self._source = source

    def get_credentials(self) -> tuple[str, str]:
        """User name and password."""
        return self._source.access.username, self._source.access.password


class Backoff(EqualJitterBackoff):
    """How long to wait between attempts.

    Short, as an attempt costs a few small requests and the wait is added to every outage; random,
    as all clients lose the primary at once.
    """

    def __init__(self) -> None:
        super().__init__(cap=0.15, base=0.01)

    def compute(self, failures: int) -> float:
        """Seconds; the power of a large number of failures would be too large a float."""
        return super().compute(min(failures, 10))


def is_final(error: BaseException) -> bool:
    """Whether trying again without another password or certificate is of no use."""
    if isinstance(error, AuthenticationError):
        return True
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError | UnusableError):
        return True
    # The server refused the client's certificate. It may hang up before this is read, and then it
    # is found out in one of the next attempts.
    return isinstance(cause, ssl.SSLError) and bool(_REFUSED.search(cause.reason or ""))


def is_refusal(error: Exception) -> bool:
    """Whether a server says that it did not do it, for a reason that a failover has or ends.

    It was demoted (``READONLY``; ``UNBLOCKED`` for who waited in a blocking command), it has just
    been promoted and its replicas are not there yet (``NOREPLICAS``), it is starting (``LOADING``)
    or it lost its primary (``MASTERDOWN``). ``BUSY``, ``OOM`` and ``MISCONF`` are not among them:
    another connection would hear the same. ``CLUSTERDOWN`` is said in another mode only.
    """
    if isinstance(error, ReadOnlyError | BusyLoadingError):
        return True
    # A pipeline puts the number of the command and its text before what the server said, and that
    # of asyncio brackets around it.
    said = str(error).rpartition("caused error: ")[2].lstrip("('\"")
    return isinstance(error, ResponseError) and said.startswith(_REFUSALS)


def may_repeat(command: Any, error: Exception) -> bool:
    """Whether a command may be sent again after this error.

    It may if it was not carried out, and if it reads only. It may not if its answer was lost.
    """
    if isinstance(error, RepeatError):
        return False
    if isinstance(error, ConnectionError | TimeoutError) and str(command).upper() in _READS:
        return True
    return is_refusal(error)


def newest(states: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What the best informed Sentinels say of the primary, the one to believe first.

    Each failover has a higher ``config-epoch`` than the one before. The Sentinel that leads one
    shows its epoch with the old address until it is over, about 1 s after the others have changed
    (Valkey 8.0, 9.1), and ``failover_in_progress`` as long.
    """
    found = list(states)
    latest = max((state["config-epoch"] for state in found), default=0)
    return sorted(
        (state for state in found if state["config-epoch"] == latest),
        key=lambda state: "failover_in_progress" in state["flags"],
    )


class Limit:
    """The time that a call has left; it begins to run with the first error."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._until: float | None = None

    def check(self, error: Exception) -> None:
        """Raise the error if there is no time left or no hope."""
        now = time.monotonic()
        if self._until is None:
            self._until = now + self._seconds
        shown = error.cause if isinstance(error, RepeatError) else error
        if now >= self._until or is_final(shown):
            raise shown


_limit: ContextVar[Limit | None] = ContextVar("limit", default=None)


@contextlib.contextmanager
def limited(seconds: float) -> Generator[Limit]:
    """The limit of the call under way.

    valkey-py retries within retries: sending a command may have to connect. They share one limit,
    which belongs to the outermost of the thread or task.
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
