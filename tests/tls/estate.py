"""What tests of TLS look at, and what must hold whenever the model has come to rest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import valkey

import localjuju
from valkey_client import Access, client
from valkey_client.messages import PRIMARY_NAME
from valkey_client_testing import Valkey

from ..writer import Writer

OPERATOR = "valkey"
PORT, SENTINEL_PORT = 6379, 26379


def access_of(juju: localjuju.Juju, app: str = "greeter") -> Access:
    """What an application was given."""
    return Valkey(juju, OPERATOR).access(app)


def units_of(juju: localjuju.Juju) -> list[str]:
    return sorted(juju.status().apps[OPERATOR].units)


def admin(juju: localjuju.Juju, unit: str, port: int, ca: str) -> Any:
    """A connection as the charm's own account; plain without a CA."""
    secret = next(s for s in juju.secrets() if s.label == "valkey-peers.internal")
    password = juju.show_secret(secret.uri, reveal=True).content["admin-password"]
    tls: dict[str, Any] = (
        {"ssl": True, "ssl_ca_data": ca, "ssl_check_hostname": True} if ca else {}
    )
    return valkey.Valkey(
        juju.address(unit),
        port,
        username="charm-admin",
        password=password,
        decode_responses=True,
        socket_timeout=2,
        **tls,
    )


def is_refused(juju: localjuju.Juju, unit: str, port: int, ca: str) -> bool:
    """Whether a server or Sentinel does not speak plain (without a CA) or TLS."""
    with admin(juju, unit, port, ca) as connection:
        try:
            connection.ping()
        except (valkey.ConnectionError, valkey.TimeoutError):
            return True
    return False


def settle(juju: localjuju.Juju, *, tls: bool, timeout: float = 60) -> Access:
    """Wait until the model is at rest and all is TLS, or plain, and nothing else."""
    deadline = time.monotonic() + timeout
    while True:
        juju.settle(timeout)
        broken = list(violations(juju, tls=tls))
        if not broken:
            return access_of(juju)
        assert time.monotonic() < deadline, "\n".join(broken)
        time.sleep(0.25)


def violations(juju: localjuju.Juju, *, tls: bool) -> Iterator[str]:
    """What does not hold now."""
    access = access_of(juju)
    if access.tls != tls or bool(access.tls_ca) != tls:
        yield f"the application is told tls {access.tls}"
        return
    primary = access.endpoints[0].host
    count = len(units_of(juju))
    for unit in units_of(juju):
        try:
            with admin(juju, unit, PORT, access.tls_ca) as server:
                role = server.execute_command("ROLE")
                config = server.config_get("port", "tls-port", "tls-replication")
            with admin(juju, unit, SENTINEL_PORT, access.tls_ca) as sentinel:
                said = sentinel.execute_command("SENTINEL MASTER", PRIMARY_NAME)
        except valkey.ConnectionError as error:
            yield f"{unit}: {error}"
            continue
        number = str(PORT)
        expected = {"port": "0" if tls else number, "tls-port": number if tls else "0"}
        expected |= {"tls-replication": "yes" if tls else "no"}
        if config != expected:
            yield f"{unit} is set to {config}"
        if juju.address(unit) == primary:
            if role[0] != "master" or len(role[2]) != count - 1:
                yield f"{unit} is the primary, and says {role}"
        elif (role[1], role[3]) != (primary, "connected"):
            yield f"{unit} says {role}"
        if (said["ip"], said["down-after-milliseconds"]) != (primary, 2000):
            yield f"the Sentinel of {unit} says {said}"
        if int(said["num-other-sentinels"]) != count - 1 or said["flags"] != "master":
            yield f"the Sentinel of {unit} says {said}"


def lost(juju: localjuju.Juju, writer: Writer) -> int:
    """How many of the acknowledged writes are not there."""
    with client.connect(access_of(juju)) as connection:
        return writer.lost(connection)
