"""Applications with certificates of their own, on the operator's servers."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import pytest
import valkey

import localjuju
from valkey_client import client
from valkey_client_testing.cluster import wait_for

from ..conftest import CHARMS, failed_hooks
from ..operator_model import OPERATOR, access_of, units
from .pki import CLIENT, Pair
from .testbed import message_of, serial_numbers, settle

pytestmark = [pytest.mark.tls]

APP = "prover"


@pytest.fixture
def prover(testbed: localjuju.Juju) -> Generator[localjuju.Juju]:
    """An application that will show what its configuration says."""
    testbed.deploy(CHARMS / "scripted_requirer", APP, config={"prefix": "prover:*"})
    testbed.integrate(OPERATOR, APP)
    settle(testbed, tls=True)
    yield testbed
    testbed.remove_application(APP)
    settle(testbed, tls=True)
    assert clients_cas(testbed) == {}


def clients_cas(juju: localjuju.Juju) -> dict[str, list[str]]:
    peers = juju.relation_id(OPERATOR, "valkey-peers")
    return json.loads(juju.databag(peers, OPERATOR).get("client-cas") or "{}")


def show(juju: localjuju.Juju, text: str) -> None:
    juju.config(APP, {"client-certificate": text})
    settle(juju, tls=True)


def provider_messages(juju: localjuju.Juju) -> list[str]:
    """What the operator says of the certificate."""
    bag = juju.databag(juju.relation_id(APP, "valkey"), OPERATOR)
    return [status["message"] for status in json.loads(bag.get("status") or "[]")]


def connects(juju: localjuju.Juju, pair: Pair | None, app: str = APP) -> bool:
    """Whether servers and Sentinels all take a client with this certificate."""
    access = access_of(juju, app)
    proof = client.ClientCertificate(pair.certificate, pair.key) if pair else None
    for read_only in (False, True):
        with client.connect(
            access, certificate=proof, retry_for=0.5, read_only=read_only
        ) as connection:
            try:
                connection.execute_command("GET", f"{app}:key")
            except valkey.ConnectionError:
                return False
            assert connection.acl_whoami() == access.username
    return True


def test_limited_client_ca_is_trusted_until_it_is_withdrawn(prover: localjuju.Juju) -> None:
    juju = prover
    before = serial_numbers(juju)
    ca = Pair.authority("prover", CLIENT)
    pair = ca.issue("charm-admin")
    assert connects(juju, None)
    assert not connects(juju, pair)
    show(juju, pair.certificate + ca.certificate)
    assert list(clients_cas(juju)) == [access_of(juju, APP).username]
    assert provider_messages(juju) == []
    # Whatever name it bears, the account is that of the password.
    assert connects(juju, pair)
    assert connects(juju, None)
    # Clients and the charm trust servers by their own CA alone.
    assert ca.certificate not in access_of(juju, APP).tls_ca
    assert serial_numbers(juju) == before

    # Another certificate in the same secret.
    second = Pair.authority("another", CLIENT)
    show(juju, second.certificate)
    assert connects(juju, second.issue("application"))
    assert not connects(juju, pair)

    juju.config(APP, reset="client-certificate")
    settle(juju, tls=True)
    assert not connects(juju, second.issue("application"))
    assert connects(juju, None)
    assert failed_hooks(juju) == []


def test_refused_client_certificate_keeps_the_account(prover: localjuju.Juju) -> None:
    juju = prover
    foreign = Pair.authority("foreign")
    expired = Pair.authority("expired", CLIENT, days=-1)
    for text, reason in (
        (foreign.certificate, "can sign server certificates"),
        (expired.certificate, "expired on"),
    ):
        show(juju, text)
        (message,) = provider_messages(juju)
        assert message.startswith("secret-mtls is ignored: ")
        assert reason in message
        assert clients_cas(juju) == {}
        assert connects(juju, None)
        assert not connects(juju, foreign.issue("a"))
    assert juju.status().apps[APP].units[f"{APP}/0"].is_active
    juju.config(APP, reset="client-certificate")
    settle(juju, tls=True)
    assert provider_messages(juju) == []
    assert failed_hooks(juju) == []


def test_integrated_client_ca_is_trusted(prover: localjuju.Juju) -> None:
    juju = prover
    foreign = Pair.authority("foreign")
    texts: list[Any] = [foreign.certificate, Pair.authority("x", days=-1).certificate]
    config = {"certificates": json.dumps(texts)}
    juju.deploy(CHARMS / "client_cas", "client-cas", config=config)
    juju.integrate(f"{OPERATOR}:client-cas", "client-cas")
    settle(juju, tls=True)
    assert connects(juju, foreign.issue("application"))
    blocked = [message_of(juju, unit) for unit in units(juju)]
    assert (
        sum("CA certificate from client-cas refused: CA x expired on" in text for text in blocked)
        == 1
    )
    # What it signed needs no CA along.
    show(juju, foreign.issue("application").certificate)
    assert provider_messages(juju) == []
    juju.remove_application("client-cas")
    settle(juju, tls=True)
    wait_for(lambda: not connects(juju, foreign.issue("application")))
    assert failed_hooks(juju) == []
