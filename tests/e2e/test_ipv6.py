"""A model in which units have IPv6 addresses only."""

from __future__ import annotations

import signal

import jubilant
import pytest

from valkey_client import client

from ..conftest import ROOT, MakeModel, failed_hooks
from ..operator_model import (
    DOWN_AFTER,
    OPERATOR,
    PORT,
    access_of,
    await_primary,
    primary_of,
    send,
    update_status,
)
from ..writer import Writer

pytestmark = [pytest.mark.field, pytest.mark.root]


@pytest.mark.parametrize(
    "tls", [pytest.param(False, id="plain", marks=pytest.mark.slow), pytest.param(True, id="tls")]
)
def test_an_application_uses_valkey_and_follows_a_failover(
    make_model: MakeModel, *, tls: bool
) -> None:
    juju = make_model(ipv6=True)
    juju.deploy(ROOT, OPERATOR, num_units=3, config={"down-after": DOWN_AFTER})
    juju.deploy(ROOT / "examples" / "greeter", "greeter")
    if tls:
        juju.deploy(ROOT / "examples" / "certificates", "certificates")
        juju.integrate(OPERATOR, "certificates")
    juju.integrate(OPERATOR, "greeter")
    juju.wait(jubilant.all_active)
    juju.settle()
    access = access_of(juju)
    assert access.tls == tls
    old = primary_of(juju)
    assert f"[{juju.address(old)}]:{PORT}" in str(juju.databag(1, OPERATOR)) or tls
    assert access.endpoints[0].host == juju.address(old)
    connection = client.connect(access)
    connection.set("application:a", "1")
    connection.close()
    with Writer(lambda: access_of(juju), pause=0.002) as writer:
        writer.await_writes()
        send(juju, old, "server", signal.SIGKILL)
        await_primary(juju, other_than=old)
        writer.await_writes()
    update_status(juju)
    assert len(access_of(juju).read_only_endpoints) == 2
    assert failed_hooks(juju) == []
