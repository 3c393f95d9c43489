"""What a provider of certificates wrote, whatever that is.

The library that knows the relation raises where a certificate in the databag cannot be read, and
Juju would retry that hook for ever. Here it is read entry by entry, and nothing raises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

_KEY = "certificates"


class IssuedCertificate(NamedTuple):
    """One answer of the provider, with what it says in PEM, or what stands in its place.

    Attributes:
        request: The certificate signing request that it answers.
        leaf: The certificate.
        chain: The certificates up to the CA, in any order.
        ca: The CA's.
        is_revoked: Whether it is taken back.
    """

    request: str
    leaf: str
    chain: tuple[str, ...]
    ca: str
    is_revoked: bool


class IssuedCertificates(NamedTuple):
    """All answers.

    Attributes:
        offers: Those that have the form of one.
        problem: What is wrong with the others; empty if nothing is.
    """

    issued_certificates: tuple[IssuedCertificate, ...]
    problem: str = ""


def read(bag: Mapping[str, str]) -> IssuedCertificates:
    """Read the databag of the provider's application.

    Args:
        bag: The databag. Keys that are not known are left alone.
    """
    try:
        said = json.loads(bag.get(_KEY) or "[]")
    except (ValueError, RecursionError):  # Not JSON, or nested without end.
        return IssuedCertificates((), f'"{_KEY}" is not JSON')
    if not isinstance(said, list):
        return IssuedCertificates((), f'"{_KEY}" is not a list')
    entries = cast("list[Any]", said)
    found = tuple(issued_certificate for entry in entries if (issued_certificate := _offer(entry)))
    if wrong := len(entries) - len(found):
        return IssuedCertificates(
            found, f'"{_KEY}" has {wrong} that have not the form of an answer'
        )
    return IssuedCertificates(found)


def _offer(entry: Any) -> IssuedCertificate | None:
    if not isinstance(entry, dict):
        return None
    said = cast("dict[str, Any]", entry)
    texts = [said.get(name) for name in ("certificate_signing_request", "certificate", "ca")]
    chain: Any = said.get("chain") or []
    if not isinstance(chain, list):
        return None
    issuers = cast("list[Any]", chain)
    if not all(isinstance(text, str) for text in (*texts, *issuers)):
        return None
    request, leaf, ca = cast("list[str]", texts)
    return IssuedCertificate(request, leaf, tuple(issuers), ca, said.get("revoked") is True)
