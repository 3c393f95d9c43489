"""From an :class:`Access` to a connected client.

The client libraries are imported on use: ``pip install valkey-client-interface[valkey]`` brings
valkey-py, ``[glide]`` brings Valkey GLIDE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import UnreachableError
from .messages import Access, Endpoint, format_endpoints

if TYPE_CHECKING:
    import valkey
    import valkey.asyncio

TIMEOUT = 5.0
"""Seconds that a connection attempt or an answer may take, unless the caller says otherwise."""


def connect(access: Access, *, read_only: bool = False, **options: Any) -> valkey.Valkey:
    """A valkey-py client that asks the Sentinels for the primary, now and after a failover.

    Args:
        access: What the provider published.
        read_only: Whether to read from a replica instead.
        options: Passed on to :class:`valkey.Valkey`, such as ``decode_responses``.

    Raises:
        UnreachableError: If the access names no endpoint.
    """
    import valkey  # noqa: PLC0415 - an extra, imported on use
    import valkey.sentinel  # noqa: PLC0415

    arguments: dict[str, Any] = {**_connection(access), "db": access.database, **options}
    if access.sentinel_endpoints:
        sentinel: Any = valkey.sentinel.Sentinel(
            [(endpoint.host, endpoint.port) for endpoint in access.sentinel_endpoints],
            sentinel_kwargs=_connection(access),
            **arguments,
        )
        choose = sentinel.slave_for if read_only else sentinel.master_for
        return choose(access.primary_name)
    endpoint = _endpoint(access, read_only=read_only)
    return valkey.Valkey(host=endpoint.host, port=endpoint.port, **arguments)


def connect_async(
    access: Access, *, read_only: bool = False, **options: Any
) -> valkey.asyncio.Valkey:
    """The same as :func:`connect` for asyncio."""
    import valkey.asyncio  # noqa: PLC0415
    import valkey.asyncio.sentinel  # noqa: PLC0415

    arguments: dict[str, Any] = {**_connection(access), "db": access.database, **options}
    if access.sentinel_endpoints:
        sentinel: Any = valkey.asyncio.sentinel.Sentinel(
            [(endpoint.host, endpoint.port) for endpoint in access.sentinel_endpoints],
            sentinel_kwargs=_connection(access),
            **arguments,
        )
        choose = sentinel.slave_for if read_only else sentinel.master_for
        return choose(access.primary_name)
    endpoint = _endpoint(access, read_only=read_only)
    return valkey.asyncio.Valkey(host=endpoint.host, port=endpoint.port, **arguments)


def glide_configuration(access: Access, *, read_only: bool = False) -> Any:
    """A configuration for ``glide_sync.GlideClient.create``.

    GLIDE has no Sentinel support: the client stays with the endpoints of this access, so make a
    new one when ``endpoints`` changes.

    Raises:
        UnreachableError: If the access names no endpoint.
    """
    import glide_sync  # pyright: ignore[reportMissingImports] # noqa: PLC0415

    glide: Any = glide_sync
    endpoint = _endpoint(access, read_only=read_only)
    advanced = None
    if access.tls_ca:
        tls = glide.TlsAdvancedConfiguration(root_pem_cacerts=access.tls_ca.encode())
        advanced = glide.AdvancedGlideClientConfiguration(tls_config=tls)
    return glide.GlideClientConfiguration(
        addresses=[glide.NodeAddress(endpoint.host, endpoint.port)],
        use_tls=access.tls,
        credentials=glide.ServerCredentials(username=access.username, password=access.password),
        database_id=access.database,
        advanced_config=advanced,
    )


def url(access: Access, *, read_only: bool = False) -> str:
    """A URL of the current primary: ``valkey://USER:PASSWORD@HOST:PORT/DATABASE``.

    It holds the password and goes stale with a failover; prefer :func:`connect`.

    Raises:
        UnreachableError: If the access names no endpoint.
    """
    scheme = "valkeys" if access.tls else "valkey"
    user = f"{quote(access.username, safe='')}:{quote(access.password, safe='')}"
    return f"{scheme}://{user}@{_endpoint(access, read_only=read_only)}/{access.database}"


def environment(access: Access, prefix: str = "VALKEY_") -> dict[str, str]:
    """Environment variables for a workload that reads its configuration there.

    Args:
        access: What the provider published.
        prefix: What each name begins with.

    Raises:
        UnreachableError: If the access names no endpoint.
    """
    endpoint = _endpoint(access, read_only=False)
    values = {
        "URL": url(access),
        "HOST": endpoint.host,
        "PORT": str(endpoint.port),
        "USERNAME": access.username,
        "PASSWORD": access.password,
        "PREFIX": access.prefix,
        "DATABASE": str(access.database),
        "SENTINELS": format_endpoints(access.sentinel_endpoints),
        "PRIMARY_NAME": access.primary_name,
        "TLS": "true" if access.tls else "false",
        "TLS_CA": access.tls_ca,
    }
    return {prefix + name: value for name, value in values.items()}


def _connection(access: Access) -> dict[str, Any]:
    """What servers and Sentinels are connected to with: the account is the same on both."""
    options: dict[str, Any] = {
        "username": access.username,
        "password": access.password,
        "socket_timeout": TIMEOUT,
        "socket_connect_timeout": TIMEOUT,
    }
    if access.tls:
        options.update(ssl=True, ssl_ca_data=access.tls_ca or None)
    return options


def _endpoint(access: Access, *, read_only: bool) -> Endpoint:
    candidates = (access.read_only_endpoints if read_only else ()) or access.endpoints
    if not candidates:
        raise UnreachableError(f"the provider published no endpoint for {access.prefix}")
    return candidates[0]
