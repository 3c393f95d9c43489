"""Which client certificates are trusted: none by which a tenant could pass for a server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import valkey
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from valkey_client import client
from valkey_client_testing import Binary
from valkey_operator.rules.client_certificate import (
    ClientCertificateError,
    exclude_same_subjects,
    find_trust_anchors,
    read_cas,
)
from valkey_operator.rules.pem import split_certificates

from .node import Node
from .pki import BOTH, CLIENT, SERVER, Pair

pytestmark = pytest.mark.tls

CLUSTER = Pair.authority("cluster")
LIMITED = Pair.authority("limited", CLIENT)
BETWEEN = LIMITED.issue("between", is_ca=True)
ALONE = Pair.own("alone", CLIENT)
SGC = ObjectIdentifier("2.16.840.1.113730.4.1")
ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE


def pems(*pairs: Pair) -> tuple[str, ...]:
    return tuple(sorted(pem for pair in pairs for pem in split_certificates(pair.certificate)))


def chain(*pairs: Pair) -> str:
    return "".join(pair.certificate for pair in pairs)


def trusted(text: str, *others: Pair, now: datetime | None = None) -> tuple[str, ...]:
    return find_trust_anchors(text, pems(CLUSTER), pems(*others), now)


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        (chain(LIMITED), [LIMITED]),
        (chain(LIMITED.issue("a"), LIMITED), [LIMITED]),
        (chain(BETWEEN.issue("a"), BETWEEN, LIMITED), [LIMITED]),
        (chain(LIMITED, BETWEEN, BETWEEN.issue("a")), [LIMITED]),
        (chain(ALONE), [ALONE]),
        # The cluster's own CA is trusted already, and so is what it signed.
        (chain(CLUSTER.issue("a")), []),
        (chain(CLUSTER), []),
        (chain(CLUSTER.issue("a", usage=CLIENT), CLUSTER), []),
    ],
)
def test_client_certificates_that_are_trusted(text: str, roots: list[Pair]) -> None:
    assert trusted(text) == pems(*roots)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: chain(Pair.authority("free")), "can sign server certificates"),
        (lambda: chain(Pair.authority("free").issue("a"), Pair.authority("free")), "not trusted"),
        (lambda: chain(Pair.authority("x", BOTH)), "can sign server certificates"),
        (lambda: chain(Pair.authority("x", (*CLIENT, ANY))), "can sign server certificates"),
        (lambda: chain(Pair.authority("x", (*CLIENT, SGC))), "can sign server certificates"),
        (lambda: chain(Pair.own("x", BOTH)), "can sign server certificates"),
        (lambda: chain(LIMITED.issue("a")), "not trusted; send it too"),
        (lambda: chain(CLUSTER.issue("a", usage=SERVER)), "clientAuth"),
        (lambda: chain(CLUSTER.issue("a", days=-1)), "expired on"),
        (lambda: chain(Pair.authority("x", CLIENT, days=-1)), "expired on"),
        (lambda: chain(Pair.authority("cluster", CLIENT)), "same subject as another trusted CA"),
        (lambda: chain(LIMITED) * 9, "more than 8"),
        (
            lambda: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "malformed certificate",
        ),
    ],
)
def test_client_certificates_that_are_refused(make: Callable[[], str], reason: str) -> None:
    with pytest.raises(ClientCertificateError, match=reason):
        trusted(make())


def test_tenant_cannot_use_the_subject_of_another_ca() -> None:
    with pytest.raises(ClientCertificateError, match="same subject as another trusted CA"):
        trusted(chain(Pair.authority("limited", CLIENT)), LIMITED)
    assert trusted(chain(LIMITED), LIMITED) == pems(LIMITED)
    assert exclude_same_subjects(pems(LIMITED), pems(Pair.authority("limited"))) == ()
    assert exclude_same_subjects(pems(LIMITED), pems(LIMITED, CLUSTER)) == pems(LIMITED)


def test_client_ca_that_is_not_valid_yet_is_refused() -> None:
    past = datetime.now(timezone.utc) - timedelta(days=60)
    with pytest.raises(ClientCertificateError, match="not valid yet"):
        trusted(chain(LIMITED), now=past)


def test_integrated_ca_may_sign_any_certificate() -> None:
    free = Pair.authority("free")
    assert read_cas(chain(free.issue("a"), free)) == pems(free)
    with pytest.raises(ClientCertificateError, match="no self-signed CA"):
        read_cas(chain(free.issue("a")))
    with pytest.raises(ClientCertificateError, match="expired"):
        read_cas(chain(Pair.authority("x", days=-1)))


def test_servers_enforce_the_same_trust(binary: Binary, short_path: Path) -> None:
    """A limited CA is good for a client and for no server, although both are in one list."""
    leaf = CLUSTER.issue("server", addresses=["127.0.0.1"])
    with Node(binary, short_path) as node:
        node.change(leaf, CLUSTER, LIMITED)
        for pair in (LIMITED.issue("tenant"), CLUSTER.issue("tenant")):
            certificate = client.ClientCertificate(pair.certificate, pair.key)
            with client.connect(node.access_with(CLUSTER), certificate=certificate) as connection:
                assert connection.ping()
        assert follows(node)
        # Somebody in the middle shows what the tenant's CA signed.
        node.change(LIMITED.issue("server", addresses=["127.0.0.1"]), LIMITED, CLUSTER)
        assert not follows(node)
        node.change(leaf, CLUSTER)
        assert follows(node)
        pair = LIMITED.issue("tenant")
        certificate = client.ClientCertificate(pair.certificate, pair.key)
        with (
            client.connect(
                node.access_with(CLUSTER), certificate=certificate, retry_for=1
            ) as connection,
            pytest.raises(valkey.ConnectionError),
        ):
            connection.ping()


def follows(node: Node) -> bool:
    """Whether a replica that trusts both CAs connects to the server."""
    with node.replica(CLUSTER.issue("replica"), CLUSTER, LIMITED) as link:
        return link
