"""What tests of TLS look at, and what must hold whenever the model has come to rest."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import valkey
from cryptography import x509

import localjuju
from valkey_client import Access, client
from valkey_client.messages import PRIMARY_NAME
from valkey_client_testing import NoAccessError

from ..operator_model import (
    DOWN_AFTER,
    OPERATOR,
    PORT,
    SENTINEL_PORT,
    access_in,
    access_of,
    addresses_in,
    addresses_of,
    admin,
    folder_of,
    rest,
    units,
)
from ..waits import NOT_YET, until
from ..writer import Writer


def is_refused(juju: localjuju.Juju, unit: str, port: int, ca: str) -> bool:
    """Whether a server or Sentinel does not speak plain (without a CA) or TLS."""
    with admin(juju, juju.address(unit), port, ca) as connection:
        try:
            connection.ping()
        except (valkey.ConnectionError, valkey.TimeoutError):
            return True
    return False


def ca_of(juju: localjuju.Juju) -> str:
    """The CA that an application is told; empty if there is none, or no access now."""
    try:
        return access_of(juju).tls_ca
    except NoAccessError:
        return ""


def settle(juju: localjuju.Juju, *, tls: bool, timeout: float = 300) -> Access:
    """Wait until the model is at rest and all is TLS, or plain, and nothing else."""
    deadline = time.monotonic() + timeout
    while True:
        rest(juju, deadline - time.monotonic(), lambda: ca_of(juju))
        try:
            broken = list(violations(juju, tls=tls))
        except NOT_YET as error:  # It may have gone while it was looked at.
            broken = [f"{type(error).__name__}: {error}"]
        if not broken:
            return access_of(juju)
        assert time.monotonic() < deadline, "\n".join(broken)
        time.sleep(0.25)


def violations(juju: localjuju.Juju, *, tls: bool) -> Iterator[str]:
    """What does not hold now."""
    snapshot = juju.snapshot()
    access, addresses = access_in(snapshot), addresses_in(snapshot)
    if access.tls != tls or bool(access.tls_ca) != tls:
        yield f"the application is told tls {access.tls}"
        return
    primary = access.endpoints[0].host
    count = len(addresses)
    for unit, address in addresses.items():
        try:
            with admin(juju, address, PORT, access.tls_ca) as server:
                role = server.execute_command("ROLE")
                config = server.config_get("port", "tls-port", "tls-replication")
            with admin(juju, address, SENTINEL_PORT, access.tls_ca) as sentinel:
                watched = sentinel.execute_command("SENTINEL MASTER", PRIMARY_NAME)
        except valkey.ValkeyError as error:
            yield f"{unit}: {error}"
            continue
        number = str(PORT)
        expected = {"port": "0" if tls else number, "tls-port": number if tls else "0"}
        expected |= {"tls-replication": "yes" if tls else "no"}
        if config != expected:
            yield f"{unit} is set to {config}"
        if address == primary:
            if role[0] != "master" or len(role[2]) != count - 1:
                yield f"{unit} is the primary, and its role is {role}"
        elif (role[1], role[3]) != (primary, "connected"):
            yield f"{unit} has the role {role}"
        if (watched["ip"], watched["down-after-milliseconds"]) != (primary, DOWN_AFTER * 1000):
            yield f"the Sentinel of {unit} watches {watched}"
        if int(watched["num-other-sentinels"]) != count - 1 or watched["flags"] != "master":
            yield f"the Sentinel of {unit} watches {watched}"


def files_of(juju: localjuju.Juju, pattern: str) -> list[Path]:
    """Files of the units that there are."""
    return [path for unit in units(juju) for path in folder_of(juju, unit).glob(pattern)]


def certificates_of(juju: localjuju.Juju) -> dict[str, x509.Certificate]:
    """The certificate that each server and Sentinel presents."""

    def read() -> dict[str, x509.Certificate]:
        certificates: dict[str, x509.Certificate] = {}
        for unit, address in addresses_of(juju).items():
            for port in (PORT, SENTINEL_PORT):
                pem = ssl.get_server_certificate((address, port), timeout=10)
                certificates[f"{unit}:{port}"] = x509.load_pem_x509_certificate(pem.encode())
        return certificates

    return until(read, what="every server and Sentinel presents a certificate")


def serial_numbers(juju: localjuju.Juju) -> dict[str, int]:
    """The serial numbers of these certificates."""
    return {node: cert.serial_number for node, cert in certificates_of(juju).items()}


def await_renewal(juju: localjuju.Juju, before: dict[str, int]) -> dict[str, int]:
    """Wait until every server and Sentinel presents another certificate than before."""
    deadline = time.monotonic() + 300
    while True:
        settle(juju, tls=True)
        after = serial_numbers(juju)
        late = [node for node, serial in before.items() if after.get(node) == serial]
        if not late:
            return after
        assert time.monotonic() < deadline, late
        time.sleep(0.25)


def lost(juju: localjuju.Juju, *writers: Writer) -> int:
    """How many of the acknowledged writes are not there; says how many failed meanwhile."""
    for writer in writers:
        writer.await_writes()
        writer.stop()
        print(
            f"{writer.acknowledged} writes acknowledged, {writer.errors} failed, the longest time"
            f" without one {writer.longest_gap:.2f} s"
        )
    with client.connect(access_of(juju)) as connection:
        return sum(writer.lost(connection) for writer in writers)


def message_of(juju: localjuju.Juju, unit: str) -> str:
    """What a unit's status says, with its name."""
    status = juju.status().apps[OPERATOR].units[unit].workload_status
    return f"{status.current} {status.message}"
