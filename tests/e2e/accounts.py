"""The accounts of clients, as servers know them and as secrets hold them."""

from __future__ import annotations

import valkey

import localjuju

from ..operator_model import PORT, SENTINEL_PORT, addresses_of, admin


def accounts(juju: localjuju.Juju) -> dict[str, set[str]]:
    """The client accounts of every server and Sentinel, seen with the charm's own account."""
    names_by_server: dict[str, set[str]] = {}
    for unit, address in addresses_of(juju).items():
        for port in (PORT, SENTINEL_PORT):
            with admin(juju, address, port) as connection:
                users = connection.execute_command("ACL USERS")
            names = {str(user) for user in users}
            names_by_server[f"{unit}:{port}"] = {
                name for name in names if name.startswith("relation-")
            }
    return names_by_server


def credentials(juju: localjuju.Juju, relation: int) -> list[tuple[str, str]]:
    contents = [
        juju.show_secret(s.uri, reveal=True).content
        for s in juju.secrets()
        if s.label
        and s.label.startswith(f"valkey-client.{relation}.")
        and "user" in s.label.split(".")
    ]
    return [(content["username"], content["password"]) for content in contents]


def can_log_in(juju: localjuju.Juju, unit: str, account: tuple[str, str]) -> bool:
    for port in (PORT, SENTINEL_PORT):
        try:
            with valkey.Valkey(
                juju.address(unit), port, username=account[0], password=account[1]
            ) as connection:
                connection.ping()
        except valkey.AuthenticationError:
            return False
    return True
