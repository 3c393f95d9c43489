"""Checks of the TLS of a provider, on its real servers."""

from __future__ import annotations

import socket
import ssl

from valkey_client import Endpoint

from ..harness import Account, ProviderHarness
from ..results import Check, Violation, check, require, verify

_TIMEOUT = 20.0


@check(
    "tls-ca",
    "contract",
    "With TLS on, the certificate in tls-ca verifies every server and Sentinel in the response.",
)
def tls_ca(harness: ProviderHarness) -> str:
    """Section *Provider*: it is the CA of the server, and a client has nothing else to verify."""
    summaries: list[str] = []
    for requirer in (harness.v1_requirer, harness.v0_requirer):
        account = requirer.account()
        require(
            account.tls, "TLS is off; name a charm that provides certificates with --integrate"
        )
        context = _context(account)
        endpoints = list(harness.local_endpoints(account.servers, "endpoints"))
        endpoints += [e for e in account.sentinels if e.host in harness.addresses]
        for endpoint in endpoints:
            error = _handshake_error(context, endpoint)
            verify(not error, f"{requirer.wire}: {endpoint}: {error}")
        summaries.append(f"{requirer.wire}: {len(endpoints)} server(s) and Sentinel(s) verified")
    return "; ".join(summaries)


def _context(account: Account) -> ssl.SSLContext:
    """A context that trusts tls-ca and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Which names a certificate is for depends on how clients reach the servers.
    context.check_hostname = False
    try:
        context.load_verify_locations(cadata=account.tls_ca)
    except (ssl.SSLError, ValueError) as error:
        raise Violation(f"tls-ca is not a certificate: {error}") from None
    return context


def _handshake_error(context: ssl.SSLContext, endpoint: Endpoint) -> str:
    """The error of a TLS handshake; empty if it succeeds."""
    address = (endpoint.host, endpoint.port)
    try:
        with (
            socket.create_connection(address, _TIMEOUT) as connection,
            context.wrap_socket(connection, server_hostname=endpoint.host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return f"tls-ca does not verify it: {error.verify_message}"
    except ssl.SSLError as error:
        return f"it does not use TLS, though tls is true: {error.reason or error}"
    except OSError as error:
        return str(error)


CHECKS: tuple[Check[ProviderHarness], ...] = (tls_ca,)
"""All checks of this module."""
