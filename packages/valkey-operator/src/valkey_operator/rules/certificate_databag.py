"""What a provider of certificates wrote, read entry by entry; nothing raises.

The ``tls_certificates`` library raises where a certificate in the databag is malformed, and Juju
would retry that hook forever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

_KEY = "certificates"


class ProviderCertificate(NamedTuple):
    """One entry of the databag; its texts should be PEM, but may be anything.

    Attributes:
        signing_request: The certificate signing request that it answers.
        leaf: The certificate.
        chain: Its issuers up to the CA, in any order.
        ca: The CA certificate.
        is_revoked: Whether the provider has revoked it.
    """

    signing_request: str
    leaf: str
    chain: tuple[str, ...]
    ca: str
    is_revoked: bool


class ProviderCertificates(NamedTuple):
    """All entries of the databag.

    Attributes:
        certificates: Those of the right form.
        problem: What is wrong with the others; empty if nothing is.
    """

    certificates: tuple[ProviderCertificate, ...]
    problem: str = ""


def read(bag: Mapping[str, str]) -> ProviderCertificates:
    """Read the databag of the provider's application.

    Args:
        bag: The databag. Unknown keys are ignored.
    """
    try:
        content = json.loads(bag.get(_KEY) or "[]")
    except (ValueError, RecursionError):  # Not JSON, or nested too deep.
        return ProviderCertificates((), f'"{_KEY}" is not JSON')
    if not isinstance(content, list):
        return ProviderCertificates((), f'"{_KEY}" is not a list')
    entries = cast("list[Any]", content)
    certificates = tuple(filter(None, map(_read_entry, entries)))
    problem = ""
    if malformed := len(entries) - len(certificates):
        noun = "entry" if malformed == 1 else "entries"
        problem = f'{malformed} malformed {noun} in "{_KEY}"'
    return ProviderCertificates(certificates, problem)


def _read_entry(entry: Any) -> ProviderCertificate | None:
    if not isinstance(entry, dict):
        return None
    content = cast("dict[str, Any]", entry)
    texts = [content.get(name) for name in ("certificate_signing_request", "certificate", "ca")]
    chain: Any = content.get("chain") or []
    if not isinstance(chain, list):
        return None
    issuers = cast("list[Any]", chain)
    if not all(isinstance(text, str) for text in (*texts, *issuers)):
        return None
    signing_request, leaf, ca = cast("list[str]", texts)
    is_revoked = content.get("revoked") is True
    return ProviderCertificate(signing_request, leaf, tuple(issuers), ca, is_revoked)
