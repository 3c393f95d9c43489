"""Checks of what a provider says about TLS, on its real servers."""

from __future__ import annotations

import socket
import ssl

from valkey_client import Endpoint

from .provider_bench import Account, ProviderBench
from .results import Check, Violation, check, demand, need

_TIMEOUT = 20.0


@check(
    "tls-ca",
    "contract",
    "With TLS on, the certificate in tls-ca verifies every server and Sentinel that the answer"
    " lists.",
)
def tls_ca(bench: ProviderBench) -> str:
    """Section *Provider*: it is the CA of the server, and all that a client has to tell by."""
    seen: list[str] = []
    for asker in (bench.v1, bench.v0):
        account = asker.account()
        need(account.tls, "tls is not on; --beside gives the provider a charm with certificates")
        context = _context(account)
        served = list(bench.served(account.servers, "endpoints"))
        served += [e for e in account.sentinels if e.host in bench.addresses]
        for endpoint in served:
            wrong = _greet(context, endpoint)
            demand(not wrong, f"{asker.asked.wire}: {endpoint}: {wrong}")
        seen.append(f"{asker.asked.wire}: {len(served)} server(s) and Sentinel(s) are verified")
    return "; ".join(seen)


def _context(account: Account) -> ssl.SSLContext:
    """Trusts tls-ca and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Which names a certificate is for depends on how clients reach the servers.
    context.check_hostname = False
    try:
        context.load_verify_locations(cadata=account.tls_ca)
    except (ssl.SSLError, ValueError) as error:
        raise Violation(f"tls-ca is no certificate: {error}") from None
    return context


def _greet(context: ssl.SSLContext, endpoint: Endpoint) -> str:
    """What is wrong with the TLS of a server; empty if nothing is."""
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
        return f"it does not speak TLS, though tls is true: {error.reason or error}"
    except OSError as error:
        return str(error)


CHECKS: tuple[Check[ProviderBench], ...] = (tls_ca,)
"""All of them."""
