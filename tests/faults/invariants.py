"""What must hold whenever the model has come to rest, whatever happened before."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import valkey

import localjuju
from valkey_client import Access
from valkey_client.databag import read_responses
from valkey_client.messages import PRIMARY_NAME, format_endpoints

from ..writer import Writer

OPERATOR = "valkey"
PORT, SENTINEL_PORT = 6379, 26379

_PATIENCE = 45.0
"""Sentinels ask for replicas every 10 s; one that was reset, or has just begun, has to."""


def units(juju: localjuju.Juju) -> list[str]:
    """The operator's units whose machines are there."""
    with juju.engine.lock:
        app = juju.engine.model.applications[OPERATOR]
        return [name for name, unit in app.units.items() if unit.alive and not unit.lost]


def accesses(juju: localjuju.Juju) -> dict[int, list[Access]]:
    """What each relation was given, as its requirer finds it."""
    with juju.engine.lock:
        model = juju.engine.model
        relations = [r.id for r in model.relations_of(OPERATOR) if not r.is_peer and r.alive]
    found: dict[int, list[Access]] = {}
    for relation in relations:
        responses = read_responses(juju.databag(relation, OPERATOR)).responses
        found[relation] = []
        for response in (r for r in responses if r.is_granted):
            secret = _content(juju, response.secret_user)
            found[relation].append(
                Access(
                    response.resource, secret["username"], secret["password"], response.topology
                )
            )
    return found


def _content(juju: localjuju.Juju, uri_or_label: str) -> dict[str, str]:
    """What a secret holds, without the way through ``juju``: these checks run thousands of times."""
    with juju.engine.lock:
        model = juju.engine.model
        named = (s for s in model.secrets.values() if s.label == uri_or_label)
        secret = model.find_secret(uri_or_label) or next(named)
        return dict(secret.revisions[secret.latest].content)


def admin(juju: localjuju.Juju, address: str, port: int) -> Any:
    """A connection as the charm's own account."""
    password = _content(juju, "valkey-peers.internal")["admin-password"]
    return valkey.Valkey(
        address,
        port,
        username="charm-admin",
        password=password,
        decode_responses=True,
        socket_timeout=2,
    )


def hurry(juju: localjuju.Juju) -> None:
    """Let Sentinels look around each 0.3 s, which they do each 10 s and say hello each 2 s.

    It changes how long they take to notice who is there, not what they do then.
    """
    with juju.engine.lock:
        labels = {s.label for s in juju.engine.model.secrets.values()}
    if "valkey-peers.internal" not in labels:
        return
    periods = ("INFO-PERIOD", "300", "PUBLISH-PERIOD", "300")
    for unit in units(juju):
        with (
            # A unit may go meanwhile.
            contextlib.suppress(
                valkey.ConnectionError, valkey.TimeoutError, localjuju.LocalJujuError
            ),
            admin(juju, juju.address(unit), SENTINEL_PORT) as sentinel,
        ):
            sentinel.execute_command("SENTINEL DEBUG", *periods)


def settle(juju: localjuju.Juju, timeout: float = 180) -> None:
    """Wait until no unit has anything to do, with Sentinels that hurry."""
    deadline = time.monotonic() + timeout
    while True:
        hurry(juju)
        try:
            juju.settle(0.5)
        except TimeoutError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def invariants(juju: localjuju.Juju, *writers: Writer) -> None:
    """Wait until all invariants hold, and fail with those that do not."""
    settle(juju)
    deadline = time.monotonic() + _PATIENCE
    while True:
        settle(juju)
        try:
            broken = [*violations(juju), *_lost(juju, *writers)]
        except (valkey.ValkeyError, OSError) as error:
            broken = [f"{type(error).__name__}: {error}"]
        if not broken:
            return
        assert time.monotonic() < deadline, "\n".join(broken)
        time.sleep(0.25)


def violations(juju: localjuju.Juju) -> Iterator[str]:
    """What does not hold now."""
    addresses = {unit: juju.address(unit) for unit in units(juju)}
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
    yield from _sentinels(juju, addresses, primary)
    yield from _clients(juju, addresses, primary)


def _sentinels(juju: localjuju.Juju, addresses: dict[str, str], primary: str) -> Iterator[str]:
    with juju.engine.lock:
        count = len(juju.engine.model.applications[OPERATOR].units)
    expected = {"num-other-sentinels": count - 1, "num-slaves": count - 1}
    expected |= {"quorum": count // 2 + 1}
    for unit, address in addresses.items():
        with admin(juju, address, SENTINEL_PORT) as sentinel:
            said = sentinel.execute_command("SENTINEL MASTER", PRIMARY_NAME)
        if said["ip"] != primary:
            yield f"the Sentinel of {unit} names {said['ip']}; the primary is {primary}"
        for key, value in expected.items():
            if int(said[key]) != value:
                yield f"the Sentinel of {unit} has {key} {said[key]}, not {value}"
        with admin(juju, address, PORT) as server:
            config = server.config_get("min-replicas-to-write", "replica-priority")
        wanted = {
            "min-replicas-to-write": "1" if count >= 3 else "0",
            "replica-priority": "100",
        }
        if config != wanted:
            yield f"{unit} is set to {config}"


def _clients(juju: localjuju.Juju, addresses: dict[str, str], primary: str) -> Iterator[str]:
    granted = accesses(juju)
    names: set[str] = set()
    for relation, given in granted.items():
        for access in given:
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
    with juju.engine.lock:
        labels = [s.label for s in juju.engine.model.secrets.values()]
    labels = [label for label in labels if label.startswith("valkey-client.")]
    if len(labels) != 2 * len(names):
        yield f"{len(labels)} secrets for {len(names)} accounts: {labels}"


def _account(access: Access, addresses: dict[str, str], primary: str) -> Iterator[str]:
    login: dict[str, Any] = {"username": access.username, "password": access.password}
    key = access.prefix.replace("*", "invariant")
    for unit, address in addresses.items():
        for port in (PORT, SENTINEL_PORT):
            try:
                with valkey.Valkey(address, port, socket_timeout=2, **login) as connection:
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
    for what, said, expected in (
        ("endpoints", access.endpoints, [f"{primary}:{PORT}"]),
        ("read-only endpoints", access.read_only_endpoints, [f"{a}:{PORT}" for a in others]),
        (
            "Sentinel endpoints",
            access.sentinel_endpoints,
            [f"{a}:{SENTINEL_PORT}" for a in addresses.values()],
        ),
    ):
        if set(map(str, said)) != set(expected):
            yield f"relation {relation} has the {what} {format_endpoints(said)}, not {expected}"


def _lost(juju: localjuju.Juju, *writers: Writer) -> Iterator[str]:
    given = [a for found in accesses(juju).values() for a in found if a.prefix == "application:*"]
    if writers and given:
        endpoint = given[0].endpoints[0]
        with valkey.Valkey(
            endpoint.host, endpoint.port, username=given[0].username, password=given[0].password
        ) as connection:
            for writer in writers:
                if lost := writer.lost(connection):
                    yield f"{lost} of {writer.acknowledged} acknowledged writes are lost"
