"""A response and the content of its two secrets, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..messages import Access, Response


def read_access(
    prefix: str, response: Response, user: Mapping[str, str], tls: Mapping[str, str]
) -> Access | None:
    """The access that a response and its secrets describe.

    Args:
        prefix: What was asked for.
        response: What the provider's databag says.
        user: Content of ``secret-user``.
        tls: Content of ``secret-tls``; not used if the response names no such secret.

    Returns:
        None if a secret lacks what it must hold.
    """
    if not user.get("username") or "password" not in user:
        return None
    if not response.secret_tls:
        tls = {}
    elif "tls" not in tls:
        return None
    topology = replace(
        response.topology,
        tls=tls.get("tls", "").lower() == "true",
        tls_ca=tls.get("tls-ca", ""),
    )
    return Access(
        prefix,
        user["username"],
        user["password"],
        topology,
        response.database,
        response.options,
    )
