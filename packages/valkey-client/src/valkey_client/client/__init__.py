"""From an :class:`Access` to a connected client.

The client libraries are imported on use: ``pip install valkey-client-interface[valkey]`` brings
valkey-py, ``[glide]`` brings Valkey GLIDE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .._errors import UnreachableError
from ..messages import Access, Endpoint, format_endpoints
from ._certificate import CertificateSource, ClientCertificate
from ._source import AccessSource, HasAccess, Source

if TYPE_CHECKING:
    import valkey
    import valkey.asyncio

__all__ = [
    "CONNECT_TIMEOUT",
    "RETRY_FOR",
    "SENTINEL_TIMEOUT",
    "TIMEOUT",
    "AccessSource",
    "CertificateSource",
    "ClientCertificate",
    "HasAccess",
    "connect",
    "connect_async",
    "environment",
    "glide_configuration",
    "url",
]

TIMEOUT = 5.0
"""Seconds that the answer to a command may take, by default.

Longer than a planned change of primary pauses writes (2.6 s).
"""

CONNECT_TIMEOUT = 1.0
"""Seconds that a connection attempt may take, authentication included.

A server that hangs still accepts connections, so this is what an attempt there costs.
"""

SENTINEL_TIMEOUT = 0.5
"""Seconds that a Sentinel may take to accept a connection, and to answer."""

RETRY_FOR = 10.0
"""Seconds for which a call keeps trying to reach the primary.

Longer than a failover: 5 s until Sentinels consider a server down, 1.5 s until one is promoted.
"""


def connect(
    access: AccessSource,
    *,
    read_only: bool = False,
    retry_for: float = RETRY_FOR,
    certificate: CertificateSource | None = None,
    **options: Any,
) -> valkey.Valkey:
    """A valkey-py client that follows the primary through a failover.

    For each connection it asks the Sentinels for the primary, believes those with the highest
    epoch, and checks that the server is the primary. It checks that again every 5 s, so that no
    connection stays with a primary that was demoted.

    Within ``retry_for`` seconds of the first error, a call is repeated if

    - no connection could be made, so that nothing was sent;
    - the server refused it, so that nothing was done: ``READONLY``, ``NOREPLICAS``, ``LOADING``,
      ``MASTERDOWN``, and ``UNBLOCKED`` when it was demoted. The same holds for a transaction;
    - it only reads.

    A call that writes and whose answer was lost raises at once: the server may have done it. To
    repeat such calls as well, pass valkey-py's
    ``retry_on_error=[valkey.ConnectionError, valkey.TimeoutError]``, but only if everything that
    the client sends may be done twice. A pipeline without a transaction is not repeated otherwise.
    Subscriptions are renewed; messages sent in between are lost, as always with Valkey.

    A refused password or certificate raises at once, unless ``access`` is a callable or object
    that now returns another one. With such an ``access`` the client also follows when TLS is
    turned on or off; it asks every 5 s while the client is used.

    With TLS, the server's certificate must be signed by one of the CAs in ``tls-ca``; the
    machine's own CAs are used only if there are none. A host name must be in the certificate; an
    IP address must be if the certificate has any.

    Args:
        access: The access; or a callable that returns it, or an object with an ``access`` such as
            a :class:`ValkeyRequirer`. These are asked again when a password or certificate is
            refused and when no Sentinel answers.
        read_only: Whether to read from a replica instead; from the primary if there is none.
        retry_for: Seconds for which a failing call is repeated. An attempt that has begun is
            finished.
        certificate: The client's certificate for TLS; or a callable that returns it, which is
            called for each connection.
        options: Passed on to valkey-py's connections, such as ``decode_responses``,
            ``socket_timeout`` (:data:`TIMEOUT`), ``socket_connect_timeout``
            (:data:`CONNECT_TIMEOUT`, authentication included) and ``max_connections``. Its
            ``retry`` replaces ``retry_for``. For TLS: ``ssl_certfile``, ``ssl_keyfile`` and
            ``ssl_password`` instead of a ``certificate``; ``ssl_min_version``; ``ssl_ciphers``;
            and ``ssl_check_hostname`` to check the name always or never.

    Raises:
        UnreachableError: If there is no access yet, or it has neither Sentinels nor endpoints.

    Calls of the client raise, besides the server's errors about the call itself:

    - :class:`valkey.AuthenticationError`: the password is not accepted;
    - :class:`valkey.ConnectionError`, the base of the first: the answer was lost, or no primary
      was found in time (:class:`valkey.sentinel.MasterNotFoundError`);
    - :class:`valkey.TimeoutError`: no answer came in time, or the primary does not answer;
    - :class:`valkey.ReadOnlyError` and :class:`valkey.ResponseError`: the server refused until
      the time was over;
    - :class:`valkey.WatchError`: the connection was lost between ``WATCH`` and ``EXEC``.
    """
    from . import _blocking  # noqa: PLC0415 - needs an extra, imported on use

    source = _source(access)
    settings = _settings(source, certificate, options)
    manager = (
        _blocking.Sentinels(source, _sentinel_settings(settings))
        if source.access.sentinel_endpoints
        else _blocking.PublishedServers(source)
    )
    retry = settings.get("retry")
    settings["retry"] = _blocking.CallerRetry(retry) if retry else _blocking.TimedRetry(retry_for)
    return _blocking.Client.from_pool(_blocking.Pool(manager, is_master=not read_only, **settings))


def connect_async(
    access: AccessSource,
    *,
    read_only: bool = False,
    retry_for: float = RETRY_FOR,
    certificate: CertificateSource | None = None,
    **options: Any,
) -> valkey.asyncio.Valkey:
    """The same as :func:`connect` for asyncio.

    A callable or object for ``access`` is called without ``await`` and should not block.
    """
    from . import _asyncio  # noqa: PLC0415

    source = _source(access)
    settings = _settings(source, certificate, options)
    manager = (
        _asyncio.Sentinels(source, _sentinel_settings(settings))
        if source.access.sentinel_endpoints
        else _asyncio.PublishedServers(source)
    )
    retry = settings.get("retry")
    settings["retry"] = _asyncio.CallerRetry(retry) if retry else _asyncio.TimedRetry(retry_for)
    return _asyncio.Client.from_pool(_asyncio.Pool(manager, is_master=not read_only, **settings))


def glide_configuration(
    access: Access, *, read_only: bool = False, certificate: ClientCertificate | None = None
) -> Any:
    """A configuration for ``glide_sync.GlideClient.create``.

    GLIDE does not support Sentinel: the client keeps the endpoints of this access, so make a new
    one when ``endpoints`` or ``tls`` changes.

    Args:
        access: The access.
        read_only: Whether to read from a replica.
        certificate: The client's certificate for TLS; needs a GLIDE whose
            ``TlsAdvancedConfiguration`` knows ``client_cert_pem``.

    Raises:
        UnreachableError: If the access names no endpoint.
    """
    import glide_sync  # pyright: ignore[reportMissingImports] # noqa: PLC0415

    glide: Any = glide_sync
    endpoint = _endpoint(access, read_only=read_only)
    advanced = None
    secured: dict[str, bytes] = {}
    if access.tls and access.tls_ca:
        secured["root_pem_cacerts"] = access.tls_ca.encode()
    if access.tls and certificate:
        secured["client_cert_pem"] = certificate.certificate.encode()
        secured["client_key_pem"] = certificate.private_key.encode()
    if secured:
        tls = glide.TlsAdvancedConfiguration(**secured)
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

    With TLS it begins with ``valkeys://``, and its reader also needs the CA. It contains the
    password and is wrong after a failover; prefer :func:`connect`.

    Raises:
        UnreachableError: If the access names no endpoint.
    """
    scheme = "valkeys" if access.tls else "valkey"
    user = f"{quote(access.username, safe='')}:{quote(access.password, safe='')}"
    return f"{scheme}://{user}@{_endpoint(access, read_only=read_only)}/{access.database}"


def environment(access: Access, prefix: str = "VALKEY_") -> dict[str, str]:
    """Environment variables for a workload that is configured with them.

    Args:
        access: The access.
        prefix: The beginning of each name.

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


def _source(access: AccessSource) -> Source:
    source = Source(access)
    if not source.access.sentinel_endpoints:
        _endpoint(source.access, read_only=False)
    return source


def _settings(
    source: Source, certificate: CertificateSource | None, options: dict[str, Any]
) -> dict[str, Any]:
    """The settings of connections to servers."""
    import valkey  # noqa: PLC0415

    from . import _tls  # noqa: PLC0415
    from ._policy import Credentials, RepeatError  # noqa: PLC0415

    secured = {name: value for name, value in options.items() if name in _tls.OPTIONS}
    options = {name: value for name, value in options.items() if name not in _tls.OPTIONS}
    repeated = [RepeatError, *(options.pop("retry_on_error", None) or ())]
    if options.pop("retry_on_timeout", False):
        repeated.append(valkey.TimeoutError)
    return {
        "db": source.access.database,
        "credential_provider": Credentials(source),
        "socket_timeout": TIMEOUT,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "tls": _tls.Tls(source, certificate, secured),
        **options,
        "retry_on_error": repeated,
    }


def _sentinel_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of connections to Sentinels, with the same account and TLS as for servers."""
    return {
        "credential_provider": settings["credential_provider"],
        "tls": settings["tls"],
        "socket_timeout": SENTINEL_TIMEOUT,
        "socket_connect_timeout": SENTINEL_TIMEOUT,
    }


def _endpoint(access: Access, *, read_only: bool) -> Endpoint:
    candidates = (access.read_only_endpoints if read_only else ()) or access.endpoints
    if not candidates:
        raise UnreachableError(f"the provider has published no endpoint for {access.prefix} yet")
    return candidates[0]
