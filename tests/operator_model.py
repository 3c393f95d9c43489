"""The operator in a model: what is read together, and waits that do not depend on Sentinels.

Units, relations and secrets come and go while a test reads them. Functions here take one snapshot
of the model, so that what they return belongs together.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import valkey

import localjuju
from localjuju import Snapshot
from valkey_client import Access
from valkey_client.databag import read_access, read_responses
from valkey_client_testing import NoAccessError

from .waits import DEADLINE, until

OPERATOR = "valkey"
PORT, SENTINEL_PORT = 6379, 26379

DOWN_AFTER = 3
"""Seconds for the operator's ``down-after``: fewer cause failovers that no test wants on a busy
machine."""


def units(juju: localjuju.Juju) -> list[str]:
    """The operator's units that are neither dying nor lost."""
    return list(addresses_of(juju))


def addresses_of(juju: localjuju.Juju) -> dict[str, str]:
    """The addresses of these units, read together."""
    return addresses_in(juju.snapshot())


def addresses_in(snapshot: Snapshot) -> dict[str, str]:
    """The addresses of these units."""
    present = [u for u in snapshot.units(OPERATOR) if not (u.is_dying or u.is_lost)]
    return {unit.name: unit.address for unit in present}


def accesses_in(snapshot: Snapshot) -> dict[int, list[Access]]:
    """The access of each relation, as its requirer reads it.

    Raises:
        NoAccessError: If a secret that a response names is not there or not complete.
    """
    accesses: dict[int, list[Access]] = {}
    for relation in snapshot.relations_of(OPERATOR):
        if relation.is_peer or relation.is_dying:
            continue
        responses = read_responses(relation.databags.get(OPERATOR, {})).responses
        accesses[relation.id] = []
        for response in (r for r in responses if r.is_granted):
            user = _content(snapshot, response.secret_user)
            tls = _content(snapshot, response.secret_tls) if response.secret_tls else {}
            access = read_access(response.resource, response, user, tls)
            if access is None:
                raise NoAccessError(f"relation {relation.id} has incomplete secrets")
            accesses[relation.id].append(access)
    return accesses


def access_in(snapshot: Snapshot, app: str = "greeter") -> Access:
    """The first access of an application.

    Raises:
        NoAccessError: If it has none.
    """
    accesses = accesses_in(snapshot)
    for relation in snapshot.relations_of(app):
        if accesses.get(relation.id):
            return accesses[relation.id][0]
    raise NoAccessError(f"{app} has no access")


def access_of(juju: localjuju.Juju, app: str = "greeter") -> Access:
    """The first access of an application now.

    Raises:
        NoAccessError: If it has none.
    """
    return access_in(juju.snapshot(), app)


def primary_of(juju: localjuju.Juju, app: str = "greeter") -> str:
    """The unit that an application's relation names as primary; empty if that unit has gone.

    Raises:
        NoAccessError: If the application has no access.
    """
    snapshot = juju.snapshot()
    host = access_in(snapshot, app).endpoints[0].host
    return next((unit.name for unit in snapshot.units(OPERATOR) if unit.address == host), "")


def await_primary(juju: localjuju.Juju, *, other_than: str) -> str:
    """Wait until the relation names another primary, and return its unit."""
    return until(
        lambda: primary_of(juju),
        lambda primary: primary not in {"", other_than},
        what=f"the relation names a primary other than {other_than}",
    )


def content(juju: localjuju.Juju, uri_or_label: str) -> dict[str, str]:
    """What a secret holds, without the way through ``juju``: these checks run thousands of times.

    Raises:
        NoAccessError: If there is no such secret.
    """
    return _content(juju.snapshot(), uri_or_label)


def _content(snapshot: Snapshot, uri_or_label: str) -> dict[str, str]:
    secret = snapshot.secret(uri_or_label)
    if secret is None:
        raise NoAccessError(f"there is no secret {uri_or_label}")
    return dict(secret.content)


def folder_of(juju: localjuju.Juju, unit: str) -> Path:
    """The directory of a unit's server and Sentinel."""
    return juju.directory / "agents" / f"unit-{unit.replace('/', '-')}" / "valkey"


def pid_of(juju: localjuju.Juju, unit: str, service: str = "server") -> int:
    """The process of a server or Sentinel; waits for one that is being restarted."""
    path = folder_of(juju, unit) / f"{service}.pid"
    return until(lambda: int(path.read_text().split()[0]), what=f"{path} names a process")


def send(juju: localjuju.Juju, unit: str, service: str, number: signal.Signals) -> None:
    """Send a signal to a server or Sentinel; waits for one that is being restarted."""

    def is_sent() -> bool:
        os.kill(pid_of(juju, unit, service), number)
        return True

    until(is_sent, what=f"the {service} of {unit} runs")


def admin(
    juju: localjuju.Juju, address: str, port: int, ca: str = "", *, timeout: float = 5
) -> Any:
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
        socket_timeout=timeout,
        **tls,
    )


def update_status(juju: localjuju.Juju) -> None:
    """What Juju's clock does every five minutes."""
    for unit in units(juju):
        # The unit may go meanwhile.
        with contextlib.suppress(localjuju.LocalJujuError):
            juju.update_status(unit)
    juju.settle(DEADLINE)


def hurry(juju: localjuju.Juju, ca: str = "") -> None:
    """Let Sentinels look around each 0.3 s, which they do each 10 s and say hello each 2 s.

    It changes how long they take to notice who is there, not what they do then.
    """
    periods = ("INFO-PERIOD", "300", "PUBLISH-PERIOD", "300")
    for address in addresses_of(juju).values():
        with (
            # A socket stays open whose TLS handshake fails, until the exception has gone.
            warnings.catch_warnings(action="ignore", category=ResourceWarning),
            # A unit may go meanwhile, and before the first hook of the leader no account is there.
            contextlib.suppress(valkey.ConnectionError, valkey.TimeoutError, NoAccessError),
            admin(juju, address, SENTINEL_PORT, ca, timeout=2) as sentinel,
        ):
            sentinel.execute_command("SENTINEL DEBUG", *periods)


def rest(
    juju: localjuju.Juju, timeout: float = DEADLINE, find_ca: Callable[[], str] = lambda: ""
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
