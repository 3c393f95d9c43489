"""What must hold whenever the model has come to rest, whatever happened before."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import valkey

import localjuju
from localjuju import Snapshot
from valkey_client import Access
from valkey_client.messages import PRIMARY_NAME, format_endpoints

from ..operator_model import (
    OPERATOR,
    PORT,
    SENTINEL_PORT,
    accesses_in,
    addresses_in,
    admin,
    folder_of,
    rest,
    units,
)
from ..waits import DEADLINE, NOT_YET
from ..writer import Writer

_FAILOVER_LINES = re.compile(
    r"[+-](sdown|odown|try-failover|elected-leader|selected-slave|promoted-slave|switch-master"
    r"|failover-|convert-to-slave|fix-slave|tilt)|MODE enabled|REPLICAOF|fsync is taking|ready to exit"
    r"|PSYNC|resync|replica .* (lost|disconnect)"
)


def invariants(juju: localjuju.Juju, *writers: Writer) -> None:
    """Wait until all invariants hold, and fail with those that do not."""
    rest(juju)
    deadline = time.monotonic() + DEADLINE
    while True:
        rest(juju)
        try:
            broken = [*violations(juju), *_lost(juju, *writers)]
        except NOT_YET as error:  # It may have gone while it was looked at.
            broken = [f"{type(error).__name__}: {error}"]
        if not broken:
            return
        assert time.monotonic() < deadline, "\n".join([*broken, *_failover_logs(juju)])
        time.sleep(0.25)


def violations(juju: localjuju.Juju) -> Iterator[str]:
    """What does not hold now."""
    snapshot = juju.snapshot()
    addresses = addresses_in(snapshot)
    if not addresses:
        return
    roles: dict[str, list[Any]] = {}
    for unit, address in addresses.items():
        with admin(juju, address, PORT) as server:
            roles[unit] = server.execute_command("ROLE")
    primaries = [unit for unit, role in roles.items() if role[0] == "master"]
    if len(primaries) != 1:
        yield f"primaries: {primaries}"
        return
    primary = addresses[primaries[0]]
    for unit, role in roles.items():
        if role[0] != "master" and (role[1], role[3]) != (primary, "connected"):
            yield f"{unit} follows {role[1]}, {role[3]}; the primary is {primary}"
    yield from _sentinels(juju, addresses, primary, len(snapshot.units(OPERATOR)))
    yield from _clients(juju, addresses, primary)


def _sentinels(
    juju: localjuju.Juju, addresses: dict[str, str], primary: str, count: int
) -> Iterator[str]:
    expected = {"num-other-sentinels": count - 1, "num-slaves": count - 1}
    expected |= {"quorum": count // 2 + 1}
    for unit, address in addresses.items():
        with admin(juju, address, SENTINEL_PORT) as sentinel:
            watched = sentinel.execute_command("SENTINEL MASTER", PRIMARY_NAME)
        if watched["ip"] != primary:
            yield f"the Sentinel of {unit} names {watched['ip']}; the primary is {primary}"
        for key, value in expected.items():
            if int(watched[key]) != value:
                yield f"the Sentinel of {unit} has {key} {watched[key]}, not {value}"
        with admin(juju, address, PORT) as server:
            config = server.config_get("min-replicas-to-write", "replica-priority")
        expected_config = {
            "min-replicas-to-write": "1" if count >= 3 else "0",
            "replica-priority": "100",
        }
        if config != expected_config:
            yield f"{unit} is set to {config}"


def _clients(juju: localjuju.Juju, addresses: dict[str, str], primary: str) -> Iterator[str]:
    snapshot = juju.snapshot()
    names: set[str] = set()
    for relation, accesses in accesses_in(snapshot).items():
        for access in accesses:
            names.add(access.username)
            yield from _account(access, addresses, primary)
            yield from _endpoints(relation, access, addresses, primary)
    for unit, address in addresses.items():
        for port in (PORT, SENTINEL_PORT):
            with admin(juju, address, port) as connection:
                users = set(map(str, connection.execute_command("ACL USERS")))
            present = {name for name in users if name.startswith("relation-")}
            if present != names:
                yield f"{unit}:{port} has the accounts {present ^ names} wrongly"
    labels = [s.label for s in snapshot.secrets if s.label.startswith("valkey-client.")]
    if len(labels) != 2 * len(names):
        yield f"{len(labels)} secrets for {len(names)} accounts: {labels}"


def _account(access: Access, addresses: dict[str, str], primary: str) -> Iterator[str]:
    login: dict[str, Any] = {"username": access.username, "password": access.password}
    key = access.prefix.replace("*", "invariant")
    for unit, address in addresses.items():
        for port in (PORT, SENTINEL_PORT):
            try:
                with valkey.Valkey(address, port, socket_timeout=5, **login) as connection:
                    connection.ping()
                    if port == PORT and address == primary:
                        connection.set(key, "x")
                    elif port == PORT:
                        connection.get(key)
            except valkey.ValkeyError as error:
                yield f"{access.username} on {unit}:{port}: {error}"


def _endpoints(
    relation: int, access: Access, addresses: dict[str, str], primary: str
) -> Iterator[str]:
    others = sorted(set(addresses.values()) - {primary})
    for what, endpoints, expected in (
        ("endpoints", access.endpoints, [f"{primary}:{PORT}"]),
        ("read-only endpoints", access.read_only_endpoints, [f"{a}:{PORT}" for a in others]),
        (
            "Sentinel endpoints",
            access.sentinel_endpoints,
            [f"{a}:{SENTINEL_PORT}" for a in addresses.values()],
        ),
    ):
        if set(map(str, endpoints)) != set(expected):
            yield f"relation {relation} has the {what} {format_endpoints(endpoints)}, not {expected}"


def _lost(juju: localjuju.Juju, *writers: Writer) -> Iterator[str]:
    access = _access_of_writers(juju.snapshot())
    if writers and access:
        endpoint = access.endpoints[0]
        with valkey.Valkey(
            endpoint.host, endpoint.port, username=access.username, password=access.password
        ) as connection:
            for writer in writers:
                if lost := writer.lost_writes(connection):
                    first, last = (writer.times[n - 1].time() for n in (lost[0], lost[-1]))
                    yield (
                        f"{len(lost)} of {writer.acknowledged} acknowledged writes are lost:"
                        f" {lost[0]} to {lost[-1]}, acknowledged from {first} to {last}"
                    )


def _access_of_writers(snapshot: Snapshot) -> Access | None:
    accesses = (a for granted in accesses_in(snapshot).values() for a in granted)
    return next((a for a in accesses if a.prefix == "application:*"), None)


def _failover_logs(juju: localjuju.Juju) -> Iterator[str]:
    """What the servers and Sentinels logged of failovers, and of what can lead to one."""
    for unit in units(juju):
        folder = folder_of(juju, unit)
        for log in (folder / "server.log", folder / "sentinel.log"):
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            yield from (
                f"{unit} {log.stem}: {line}" for line in lines if _FAILOVER_LINES.search(line)
            )
