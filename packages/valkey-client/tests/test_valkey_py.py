"""The methods of valkey-py that the clients override or call exist, with these signatures.

Most of them are private, or how they call one another is. A release that changes one fails here
before it fails in an application.
"""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

import pytest

if sys.version_info < (3, 11):
    pytest.skip("valkey-py needs Python 3.11", allow_module_level=True)

import valkey
import valkey.asyncio
import valkey.asyncio.client
import valkey.asyncio.connection
import valkey.asyncio.retry
import valkey.asyncio.sentinel
import valkey.client
import valkey.connection
import valkey.retry
import valkey.sentinel

from valkey_client.client import _asyncio, _asyncio_base, _blocking, _blocking_base

# Class, method, its parameters after self. Both kinds unless they differ.
SIGNATURES = [
    ("retry.Retry", "__init__", "backoff, retries, supported_errors"),
    ("retry.Retry", "call_with_retry", "do, fail"),
    ("retry.Retry", "update_supported_errors", "specified_errors"),
    ("sentinel.Sentinel", "__init__", "sentinels, min_other_sentinels, sentinel_kwargs, **"),
    ("sentinel.Sentinel", "discover_master", "service_name"),
    ("sentinel.Sentinel", "discover_slaves", "service_name"),
    ("sentinel.Sentinel", "check_master_state", "state, service_name"),
    ("sentinel.Sentinel", "filter_slaves", "slaves"),
    ("sentinel.SentinelConnectionPool", "__init__", "service_name, sentinel_manager, **"),
    ("sentinel.SentinelManagedConnection", "connect_to", "address"),
    ("sentinel.SentinelManagedConnection", "_connect_retry", ""),
    ("connection.Connection", "_connect", ""),
    ("connection.Connection", "on_connect", ""),
    ("connection.Connection", "check_health", ""),
    ("connection.Connection", "connect", ""),
    ("connection.Connection", "pack_commands", "commands"),
    ("connection.Connection", "send_packed_command", "command, check_health"),
    ("connection.ConnectionPool", "__init__", "connection_class, max_connections, **"),
    ("connection.ConnectionPool", "disconnect", "inuse_connections"),
    (
        "client.Pipeline",
        "__init__",
        "connection_pool, response_callbacks, transaction, shard_hint",
    ),
    ("client.Pipeline", "_execute_transaction", "connection, commands, raise_on_error"),
    ("client.PubSub", "_disconnect_raise_connect", "conn, error"),
    ("client.Valkey", "_send_command_parse_response", "conn, command_name, *, **"),
    ("client.Valkey", "pipeline", "transaction, shard_hint"),
    ("client.Valkey", "pubsub", "**"),
    ("client.Valkey", "from_pool", "connection_pool"),
    ("client.Valkey", "sentinel_masters", ""),
    ("client.Valkey", "sentinel_slaves", "service_name"),
]
BLOCKING = [
    *SIGNATURES,
    ("connection.Connection", "disconnect", "*"),
    (
        "connection.Connection",
        "read_response",
        "disable_decoding, disconnect_on_error, push_request",
    ),
    ("client.Valkey", "close", ""),
]
ASYNCIO = [
    *SIGNATURES,
    ("connection.Connection", "_connection_arguments", ""),
    ("connection.Connection", "can_read_destructive", ""),
    ("connection.Connection", "disconnect", "nowait"),
    (
        "connection.Connection",
        "read_response",
        "disable_decoding, timeout, disconnect_on_error, push_request",
    ),
    ("client.Valkey", "aclose", "close_connection_pool"),
]


def parameters(function: Any) -> str:
    signs = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    listed = list(inspect.signature(function).parameters.values())
    names = [signs.get(p.kind, p.name) for p in listed if p.name not in {"self", "cls"}]
    return ", ".join(names)


@pytest.mark.parametrize(
    ("package", "path", "method", "expected"),
    [
        *(pytest.param(valkey, *row, id=f"{row[0]}.{row[1]}") for row in BLOCKING),
        *(pytest.param(valkey.asyncio, *row, id=f"asyncio.{row[0]}.{row[1]}") for row in ASYNCIO),
    ],
)
def test_valkey_py_has_the_method(package: Any, path: str, method: str, expected: str) -> None:
    module, name = path.split(".")
    kind = getattr(getattr(package, module), name)
    assert parameters(getattr(kind, method)) == expected


@pytest.mark.parametrize(
    ("ours", "rows"),
    [
        pytest.param((_blocking, _blocking_base), BLOCKING, id="blocking"),
        pytest.param((_asyncio, _asyncio_base), ASYNCIO, id="asyncio"),
    ],
)
def test_every_method_that_is_overridden_is_in_the_table(ours: Any, rows: Any) -> None:
    known = {method for _, method, _ in rows}
    for module in ours:
        for kind in vars(module).values():
            if not inspect.isclass(kind) or kind.__module__ != module.__name__:
                continue
            for method in vars(kind):
                bases = [base for base in kind.__mro__ if base.__module__.startswith("valkey.")]
                if inspect.isfunction(vars(kind)[method]) and any(
                    method in vars(base) for base in bases
                ):
                    assert method in known | {"__init__", "__subclasshook__"}, (kind, method)


def test_the_extra_allows_no_untried_major_release() -> None:
    major = int(re.match(r"\d+", valkey.__version__).group())  # type: ignore[union-attr]
    assert major == 6
