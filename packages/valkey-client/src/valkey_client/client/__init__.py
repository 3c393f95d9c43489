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
"""Seconds that the answer to a command may take, unless the caller says otherwise.

Longer than a planned change of primary holds writes back (2.6 s).
"""

CONNECT_TIMEOUT = 1.0
"""Seconds that a connection attempt may take, logging in included.

A server that hangs accepts connections still, so that this is what an attempt there costs.
"""

SENTINEL_TIMEOUT = 0.5
"""Seconds that a Sentinel may take to accept a connection, and to answer."""

RETRY_FOR = 10.0
"""Seconds for which a call goes on looking for the primary.

Longer than a failover: 5 s until Sentinels take a server for dead and 1.5 s until one is promoted.
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

    It asks the Sentinels for the primary whenever it makes a connection, believes those that know
    of the latest failover, and sees that the server is the primary indeed. A connection is asked
    again every 5 s, so that it does not stay with a primary that was demoted.

    Within ``retry_for`` seconds of the first error, a call is repeated if

    - no connection could be made, so that nothing was sent;
    - the server refused, so that nothing was done: ``READONLY``, ``NOREPLICAS``, ``LOADING``,
      ``MASTERDOWN``, and ``UNBLOCKED`` when it was demoted. A transaction likewise;
    - it only reads.

    A call that writes and whose answer was lost raises at once: the server may have done it. To
    have such calls sent again as well, pass valkey-py's
    ``retry_on_error=[valkey.ConnectionError, valkey.TimeoutError]``; say so only if all that the
    client sends may be done twice. A pipeline without a transaction is never sent again unless
    this says so. Subscriptions are renewed; messages sent meanwhile are lost, as they always are.

    A password or certificate that is not accepted any more is an error at once, unless ``access``
    can be asked and says another one now. If it can, the client also follows a change to TLS or
    from it, and asks every 5 s while it is used.

    With TLS, the server's certificate must be signed by one of the CAs in ``tls-ca``; the
    machine's own count only if there are none. Its name must be that of the endpoint if that is a
    name, and if it is an IP address, be among those in the certificate if there are any.

    Args:
        access: What the provider published; or a callable that returns it, or an object with an
            ``access`` such as a :class:`ValkeyRequirer`. These are asked again when a password or
            certificate is refused and when no Sentinel answers.
        read_only: Whether to read from a replica instead; from the primary if there is none.
        retry_for: Seconds for which a call that fails goes on. An attempt that has begun is
            finished.
        certificate: What the client proves itself with where there is TLS; or a callable that
            returns it, which is asked for each connection.
        options: Passed on to valkey-py's connections, such as ``decode_responses``,
            ``socket_timeout`` (:data:`TIMEOUT`), ``socket_connect_timeout``
            (:data:`CONNECT_TIMEOUT`, logging in included) and ``max_connections``. Its ``retry``
            replaces ``retry_for``. Of those for TLS, ``ssl_certfile``, ``ssl_keyfile`` and
            ``ssl_password`` instead of a ``certificate``, ``ssl_min_version``, ``ssl_ciphers``,
            and ``ssl_check_hostname`` to check the name always or never.

    Raises:
        UnreachableError: If there is no access yet, or it names neither Sentinel nor endpoint.

    The calls of the client raise, beside what the server says of the call itself:

    - :class:`valkey.AuthenticationError`: the password is not accepted;
    - :class:`valkey.ConnectionError`, the base of the first: the answer was lost, or no primary
      was found in time (:class:`valkey.sentinel.MasterNotFoundError`);
    - :class:`valkey.TimeoutError`: no answer came in time, or the primary that the Sentinels name
      does not answer;
    - :class:`valkey.ReadOnlyError` and :class:`valkey.ResponseError`: the server refused until
      the time was up;
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

    A callable or object given for ``access`` is asked without ``await`` and should not block.
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

    GLIDE has no Sentinel support: the client stays with the endpoints of this access, so make a
    new one when ``endpoints`` or ``tls`` changes.

    Args:
        access: What the provider published.
        read_only: Whether to read from a replica.
        certificate: What the client proves itself with where there is TLS; needs a
            GLIDE whose ``TlsAdvancedConfiguration`` knows ``client_cert_pem``.

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

    With TLS it begins with ``valkeys://``, and whoever reads it needs the CA beside it. It holds
    the password and goes stale with a failover; prefer :func:`connect`.

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


def _source(given: AccessSource) -> Source:
    source = Source(given)
    if not source.access.sentinel_endpoints:
        _endpoint(source.access, read_only=False)
    return source


def _settings(
    source: Source, certificate: CertificateSource | None, options: dict[str, Any]
) -> dict[str, Any]:
    """What servers are connected to with."""
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
    """What Sentinels are connected to with: the account and TLS are the same as on servers."""
    return {
        "credential_provider": settings["credential_provider"],
        "tls": settings["tls"],
        "socket_timeout": SENTINEL_TIMEOUT,
        "socket_connect_timeout": SENTINEL_TIMEOUT,
    }


def _endpoint(access: Access, *, read_only: bool) -> Endpoint:
    candidates = (access.read_only_endpoints if read_only else ()) or access.endpoints
    if not candidates:
        raise UnreachableError(f"the provider published no endpoint for {access.prefix}")
    return candidates[0]
