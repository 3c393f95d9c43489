"""The operator's units in a model, and how to wait for them without waiting for Sentinels."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import valkey

import localjuju

OPERATOR = "valkey"
PORT, SENTINEL_PORT = 6379, 26379


def units(juju: localjuju.Juju) -> list[str]:
    """The operator's units whose machines are there."""
    return list(addresses_of(juju))


def addresses_of(juju: localjuju.Juju) -> dict[str, str]:
    """The addresses of these units, read together."""
    present = [u for u in juju.units(OPERATOR) if not (u.is_dying or u.is_lost)]
    return {unit.name: unit.address for unit in present}


def content(juju: localjuju.Juju, uri_or_label: str) -> dict[str, str]:
    """What a secret holds, without the way through ``juju``: these checks run thousands of times."""
    secret = juju.snapshot().secret(uri_or_label)
    assert secret, f"there is no secret {uri_or_label}"
    return dict(secret.content)


def admin(juju: localjuju.Juju, address: str, port: int, ca: str = "") -> Any:
    """A connection as the charm's own account; plain without a CA."""
    tls: dict[str, Any] = (
        {"ssl": True, "ssl_ca_data": ca, "ssl_check_hostname": True} if ca else {}
    )
    return valkey.Valkey(
        address,
        port,
        username="charm-admin",
        password=content(juju, "valkey-peers.internal")["admin-password"],
        decode_responses=True,
        socket_timeout=2,
        **tls,
    )


def hurry(juju: localjuju.Juju, ca: str = "") -> None:
    """Let Sentinels look around each 0.3 s, which they do each 10 s and say hello each 2 s.

    It changes how long they take to notice who is there, not what they do then.
    """
    if juju.snapshot().secret("valkey-peers.internal") is None:
        return
    periods = ("INFO-PERIOD", "300", "PUBLISH-PERIOD", "300")
    for address in addresses_of(juju).values():
        with (
            # A unit may go meanwhile.
            contextlib.suppress(valkey.ConnectionError, valkey.TimeoutError),
            admin(juju, address, SENTINEL_PORT, ca) as sentinel,
        ):
            sentinel.execute_command("SENTINEL DEBUG", *periods)


def rest(
    juju: localjuju.Juju, timeout: float = 180, find_ca: Callable[[], str] = lambda: ""
) -> None:
    """Wait until no unit has anything to do, with Sentinels that hurry.

    Args:
        juju: The model.
        timeout: Seconds after which a TimeoutError is raised.
        find_ca: Says which CA the Sentinels' certificates are from, if they have any.
    """
    deadline = time.monotonic() + timeout
    while True:
        hurry(juju, find_ca())
        try:
            juju.settle(0.5)
        except TimeoutError:
            if time.monotonic() > deadline:
                raise
        else:
            return
