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
from valkey_client_testing import Valkey

from ..operator_model import OPERATOR, PORT, SENTINEL_PORT, admin, rest, units
from ..writer import Writer


def access_of(juju: localjuju.Juju, app: str = "greeter") -> Access:
    """What an application was given."""
    return Valkey(juju, OPERATOR).access(app)


def is_refused(juju: localjuju.Juju, unit: str, port: int, ca: str) -> bool:
    """Whether a server or Sentinel does not speak plain (without a CA) or TLS."""
    with admin(juju, juju.address(unit), port, ca) as connection:
        try:
            connection.ping()
        except (valkey.ConnectionError, valkey.TimeoutError):
            return True
    return False


def settle(juju: localjuju.Juju, *, tls: bool, timeout: float = 240) -> Access:
    """Wait until the model is at rest and all is TLS, or plain, and nothing else."""
    deadline = time.monotonic() + timeout
    while True:
        rest(juju, deadline - time.monotonic(), lambda: access_of(juju).tls_ca)
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
    count = len(units(juju))
    for unit in units(juju):
        try:
            with admin(juju, juju.address(unit), PORT, access.tls_ca) as server:
                role = server.execute_command("ROLE")
                config = server.config_get("port", "tls-port", "tls-replication")
            with admin(juju, juju.address(unit), SENTINEL_PORT, access.tls_ca) as sentinel:
                watched = sentinel.execute_command("SENTINEL MASTER", PRIMARY_NAME)
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
        if (watched["ip"], watched["down-after-milliseconds"]) != (primary, 2000):
            yield f"the Sentinel of {unit} says {watched}"
        if int(watched["num-other-sentinels"]) != count - 1 or watched["flags"] != "master":
            yield f"the Sentinel of {unit} says {watched}"


def files_of(juju: localjuju.Juju, pattern: str) -> list[Path]:
    """Files of the units that there are."""
    agents = juju.directory / "agents"
    folders = [agents / f"unit-{unit.replace('/', '-')}" / "valkey" for unit in units(juju)]
    return [path for folder in folders for path in folder.glob(pattern)]


def serial_numbers(juju: localjuju.Juju) -> dict[str, int]:
    """The serial number of the certificate that each server and Sentinel shows."""
    serials: dict[str, int] = {}
    for unit in units(juju):
        for port in (PORT, SENTINEL_PORT):
            pem = ssl.get_server_certificate((juju.address(unit), port))
            certificate = x509.load_pem_x509_certificate(pem.encode())
            serials[f"{unit}:{port}"] = certificate.serial_number
    return serials


def await_renewal(juju: localjuju.Juju, before: dict[str, int]) -> dict[str, int]:
    """Wait until every server and Sentinel shows another certificate than before."""
    deadline = time.monotonic() + 180
    while True:
        settle(juju, tls=True)
        after = serial_numbers(juju)
        late = [node for node, serial in before.items() if after[node] == serial]
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


def update_status(juju: localjuju.Juju) -> None:
    """Let the clock tick, which localjuju does not have."""
    for unit in units(juju):
        juju.update_status(unit)
    juju.settle(240)


def message_of(juju: localjuju.Juju, unit: str) -> str:
    """What a unit's status says, with its name."""
    status = juju.status().apps[OPERATOR].units[unit].workload_status
    return f"{status.current} {status.message}"
