"""valkey-py's blocking client, made to follow the primary; made from ``_asyncio.py``."""

# valkey-py leaves most of what is extended here without annotations.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from valkey.backoff import NoBackoff
from valkey.exceptions import (
    ConnectionError,  # noqa: A004
    ExecAbortError,
    NoPermissionError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004
    ValkeyError,
)

from ..messages import Endpoint
from . import _blocking_base as base
from . import _policy as policy
from ._source import Source

Address = tuple[str, int]


class TimedRetry(base.Retry):
    """Retries for some time instead of a number of times."""

    def __init__(self, seconds: float):
        super().__init__(policy.Backoff(), -1, (ConnectionError, TimeoutError))
        self._seconds = seconds

    def call_with_retry(self, do: Callable[[], Any], fail: Callable[[Any], Any]) -> Any:
        """See :class:`valkey.retry.Retry`."""
        with policy.limited(self._seconds) as limit:

            def fail_in_time(error: Exception) -> None:
                fail(error)
                limit.check(error)

            return super().call_with_retry(do, fail_in_time)


class CallerRetry(base.Retry):
    """The caller's own; instead of a :class:`policy.RepeatError` the caller gets its cause."""

    def __init__(self, retry: base.Retry):
        super().__init__(NoBackoff(), 0)
        self._retry = retry

    def update_supported_errors(self, specified_errors: Any) -> None:
        """See :class:`valkey.retry.Retry`."""
        self._retry.update_supported_errors(specified_errors)

    def call_with_retry(self, do: Callable[[], Any], fail: Callable[[Any], Any]) -> Any:
        """See :class:`valkey.retry.Retry`."""
        try:
            return self._retry.call_with_retry(do, fail)
        except policy.RepeatError as error:
            raise error.cause from error


class PublishedServers:
    """Finds servers by the published endpoints, if the provider has no Sentinels."""

    def __init__(self, source: Source):
        self.source = source

    def renew(self) -> bool:
        """Get the current access; says whether it changed."""
        return self.source.renew()

    def discover_master(self, _: str) -> Address:
        """The published primary."""
        self.renew()
        for endpoint in self.source.access.endpoints:
            return _address(endpoint)
        raise base.MasterNotFoundError("the provider publishes no endpoint any more")

    def discover_slaves(self, _: str) -> list[Address]:
        """The published replicas."""
        self.renew()
        return [_address(endpoint) for endpoint in self.source.access.read_only_endpoints]

    def close(self) -> None:
        """There is nothing to close."""


class Sentinels(base.Sentinel):
    """Asks all Sentinels, and believes those with the highest epoch."""

    def __init__(self, source: Source, options: dict[str, Any]):
        self.source = source
        super().__init__((), sentinel_kwargs=options)
        self._connect_sentinels()

    def _connect_sentinels(self) -> None:
        self.sentinels = [
            base.Valkey.from_pool(
                base.ConnectionPool(
                    base.SecuredConnection, host=host, port=port, **self.sentinel_kwargs
                )
            )
            for host, port in map(_address, self.source.access.sentinel_endpoints)
        ]
        self._silent: dict[Any, float] = {}

    def renew(self) -> bool:
        """Get the current access; says whether it changed."""
        before = self.source.access.topology
        if not self.source.renew():
            return False
        if self.source.access.topology != before:
            old = self.sentinels
            # First: this task may be cancelled while it waits for the old ones to close.
            self._connect_sentinels()
            for sentinel in old:
                sentinel.close()
        return True

    def discover_master(self, service_name: str) -> Address:
        """The primary of the Sentinels with the highest epoch."""
        answers = self._ask(lambda sentinel: sentinel.sentinel_masters())
        states = policy.newest(a[service_name] for a in answers if service_name in a)
        for state in states:
            if self.check_master_state(dict(state), service_name):
                return state["ip"], state["port"]
        raise base.MasterNotFoundError(f"no Sentinel knows a working {service_name!r}")

    def discover_slaves(self, service_name: str) -> list[Any]:
        """The replicas that a Sentinel reports as working."""
        try:
            answers = self._ask(lambda sentinel: sentinel.sentinel_slaves(service_name))
        except ResponseError:
            return []  # Not allowed, or no replica is known yet: the primary is used instead.
        return list(next(filter(None, map(self.filter_slaves, answers)), []))

    def close(self) -> None:
        """Close the connections to the Sentinels."""
        for sentinel in self.sentinels:
            sentinel.close()

    def _ask(self, question: Callable[[Any], Any]) -> list[Any]:
        answers, errors = self._ask_once(question)
        if not answers and self.renew():
            answers, errors = self._ask_once(question)
        if not answers:
            for error in errors:
                if policy.is_final(error):
                    raise error
            raise base.MasterNotFoundError(f"no Sentinel answers: {'; '.join(map(str, errors))}")
        return answers

    def _ask_once(self, question: Callable[[Any], Any]) -> tuple[list[Any], list[Exception]]:
        """First the Sentinels that answered last time; the others only if none of these does."""
        now = time.monotonic()
        silent = [s for s in self.sentinels if self._silent.get(s, -math.inf) > now]
        errors: list[Exception] = []
        for group in ([s for s in self.sentinels if s not in silent], silent):
            answers: list[Any] = []
            for sentinel, answer in base.ask_all(question, group):
                if isinstance(answer, ConnectionError | TimeoutError):
                    self._silent[sentinel] = time.monotonic() + policy.SILENCE
                    errors.append(answer)
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    answers.append(answer)
            if answers:
                return answers, errors
        return [], errors


class Connection(base.ManagedConnection):
    """A connection that knows the role of its server."""

    _ask_role_at = math.inf
    _final_error: ConnectionError | None = None

    def connect_to(self, address: Address) -> None:
        """Connect; if the password or certificate is refused, again with the current one."""
        manager = self.connection_pool.sentinel_manager
        try:
            super().connect_to(address)
        except ConnectionError as error:
            if not (policy.is_final(error) and manager.renew()):
                if policy.is_final(error):
                    self._final_error = error
                raise
            super().connect_to(address)

    def _connect_retry(self) -> None:
        self._final_error = None
        try:
            super()._connect_retry()
        except base.SlaveNotFoundError:
            # valkey-py tries the next replica whatever the reason.
            if self._final_error is None:
                raise
        if self._final_error is not None:
            raise self._final_error  # Not in the handler: it would lose its cause.

    def on_connect(self) -> None:
        """Authenticate, select the database and ask for the role.

        A server that hangs still accepts connections, so all of this gets the time of a connection
        attempt, which is shorter than that of a command.
        """
        self._ask_role_at = math.inf
        with self.attempt():
            super().on_connect()
            self._confirm()

    def check_health(self) -> None:
        """Before a command: check from time to time that the server is still the primary."""
        super().check_health()
        if time.monotonic() < self._ask_role_at:
            return
        try:
            self.connection_pool.sentinel_manager.renew()
            self._check_tls()
            self._confirm()
        except (ConnectionError, TimeoutError) as error:
            self.disconnect()
            raise policy.RepeatError(error) from error

    def _check_tls(self) -> None:
        """Close a connection that was made before a change to TLS or from it."""
        if self.has_tls != self.tls.is_on:
            raise ConnectionError(f"{self.host}:{self.port} has turned TLS on or off")

    def _confirm(self) -> None:
        """PING, which is refused while loading or without a primary, then ROLE."""
        self._ask_role_at = math.inf
        both = self.pack_commands([("PING",), ("ROLE",)])
        self.send_packed_command(both, check_health=False)
        try:
            self.read_response()
        except NoPermissionError:
            pass
        except ResponseError as error:
            raise ConnectionError(str(error)) from error
        try:
            role = self.read_response()
        except NoPermissionError:
            role = None  # Other providers may not allow it; then READONLY is the only sign.
        if self.connection_pool.is_master and role and role[0] not in {b"master", "master"}:
            raise policy.NotPrimaryError(f"{self.host}:{self.port} is not the primary")
        self._ask_role_at = time.monotonic() + policy.ROLE_INTERVAL

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Keep the server's error, and check the role after ``READONLY``."""
        try:
            return super(base.SentinelManagedConnection, self).read_response(*args, **options)
        except ReadOnlyError:
            if self.connection_pool.is_master:
                self._ask_role_at = 0
            raise


class Pool(base.SentinelConnectionPool):
    """A pool that closes the connections to the Sentinels with its own."""

    def __init__(self, manager: Sentinels | PublishedServers, **options: Any):
        options["connection_class"] = Connection
        super().__init__(manager.source.access.primary_name, manager, **options)

    def disconnect(self, inuse_connections: bool = True) -> None:
        """See :class:`valkey.ConnectionPool`."""
        super().disconnect(inuse_connections)
        if inuse_connections:
            self.sentinel_manager.close()


class Pipeline(base.Pipeline):
    """A pipeline is sent once; a transaction again if the server refused all of it."""

    def _execute_transaction(self, connection: Any, commands: Any, raise_on_error: bool) -> Any:
        try:
            return super()._execute_transaction(connection, commands, raise_on_error)
        except ResponseError as error:
            if isinstance(error.__context__, ExecAbortError) and policy.is_refusal(error):
                raise policy.RepeatError(error) from error
            raise


class PubSub(base.PubSub):
    """Subscribes again after the connection is lost."""

    def _disconnect_raise_connect(self, conn: Any, error: Exception) -> None:
        if isinstance(error, TimeoutError):
            super()._disconnect_raise_connect(conn, error)
        conn.disconnect()
        conn.connect()


class Client(base.Valkey):
    """A client that repeats what is safe to repeat."""

    def _send_command_parse_response(
        self, conn: Any, command_name: Any, *args: Any, **options: Any
    ) -> Any:
        try:
            return super()._send_command_parse_response(conn, command_name, *args, **options)
        except ValkeyError as error:
            if policy.may_repeat(command_name, error) and not (
                isinstance(error, ReadOnlyError) and not conn.connection_pool.is_master
            ):
                raise policy.RepeatError(error) from error
            raise

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        """See :meth:`valkey.Valkey.pipeline`."""
        return Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)

    def pubsub(self, **options: Any) -> PubSub:
        """See :meth:`valkey.Valkey.pubsub`."""
        return PubSub(self.connection_pool, **options)


def _address(endpoint: Endpoint) -> Address:
    return endpoint.host, endpoint.port
