"""Which certificates a server can use."""

from __future__ import annotations

import pytest

from valkey_operator.rules.pem import split_certificates, trust_bundle
from valkey_operator.rules.server_certificate import (
    CertificateError,
    UnverifiedCertificate,
    verify,
)

from .authority import CLIENT, DAY, NOW, SERVER, Party

ROOT = Party("root", is_ca=True)
MIDDLE = Party("middle", ROOT, is_ca=True, ends=NOW + 10 * DAY)
OTHER = Party("other", is_ca=True)


def received(leaf: Party, *chain: Party, ca: Party = ROOT, key: str = "") -> UnverifiedCertificate:
    return UnverifiedCertificate(
        leaf.pem, tuple(c.pem for c in chain), ca.pem, key or leaf.key_pem
    )


@pytest.mark.parametrize("usage", [(), (SERVER, CLIENT)], ids=["any", "both"])
def test_a_certificate_for_servers_and_clients_is_accepted(usage: tuple[object, ...]) -> None:
    """Without the extension a certificate may be used for anything."""
    leaf = Party("leaf", ROOT, usage=usage)
    checked = verify(received(leaf, leaf, ROOT), NOW)
    assert split_certificates(checked.chain) == split_certificates(leaf.pem)
    assert checked.anchors == split_certificates(ROOT.pem)
    assert checked.not_after == (NOW + 30 * DAY).timestamp()
    assert leaf.key_pem not in repr(checked)


@pytest.mark.parametrize("order", [(MIDDLE, ROOT), (ROOT, MIDDLE)])
def test_intermediate_cas_are_in_the_chain_and_the_root_is_the_anchor(
    order: tuple[Party, ...],
) -> None:
    leaf = Party("leaf", MIDDLE)
    checked = verify(received(leaf, leaf, *order, ca=MIDDLE), NOW)
    assert split_certificates(checked.chain) == (
        *split_certificates(leaf.pem),
        *split_certificates(MIDDLE.pem),
    )
    assert checked.anchors == split_certificates(ROOT.pem)
    assert checked.not_after == (NOW + 10 * DAY).timestamp()


LEAF = Party("leaf", ROOT)


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        (
            received(Party("leaf", ROOT, usage=(SERVER,))),
            "lacks the extended key usage clientAuth",
        ),
        (
            received(Party("leaf", ROOT, usage=(CLIENT,))),
            "lacks the extended key usage serverAuth",
        ),
        (received(Party("leaf", OTHER)), "it was not signed by the CA sent with it"),
        (
            received(Party("leaf", MIDDLE), MIDDLE, ca=MIDDLE),
            "its chain does not lead to a self-signed CA",
        ),
        (received(Party("leaf", Party("root")), ca=Party("root")), "it was not signed by the CA"),
        (received(Party("leaf")), "it is self-signed"),
        (received(LEAF, key=OTHER.key_pem), "does not match this unit's private key"),
        (received(LEAF, key="none"), "malformed private key"),
        (
            UnverifiedCertificate("none", (), ROOT.pem, LEAF.key_pem),
            "malformed leaf certificate",
        ),
        (
            UnverifiedCertificate(LEAF.pem, ("none",), ROOT.pem, LEAF.key_pem),
            "malformed certificate in the chain",
        ),
        (received(Party("leaf", ROOT, ends=NOW)), "it expired on 2026-06-01 00:00 UTC"),
        (received(Party("leaf", ROOT, begins=NOW + DAY)), "it is not valid before 2026-06-02"),
    ],
)
def test_an_unusable_certificate_is_refused_with_a_reason(
    certificate: UnverifiedCertificate, reason: str
) -> None:
    with pytest.raises(CertificateError, match=reason):
        verify(certificate, NOW)


def test_a_certificate_of_an_expired_ca_is_refused() -> None:
    old = Party("old", is_ca=True, begins=NOW - 9 * DAY, ends=NOW - DAY)
    with pytest.raises(CertificateError, match="its CA old expired on 2026-05-31"):
        verify(received(Party("leaf", old), ca=old), NOW)


def test_a_certificate_signed_by_another_that_is_no_ca_is_refused() -> None:
    """Otherwise the holder of any certificate of the CA could issue others."""
    middle = Party("tenant", ROOT)
    with pytest.raises(CertificateError, match="it was not signed by the CA"):
        verify(received(Party("leaf", middle), middle), NOW)


def test_equal_trust_bundles_have_equal_text() -> None:
    one, two = ROOT.pem, OTHER.pem
    bundle = trust_bundle([one], [two], [one.replace("\n", "\r\n"), "rubbish"])
    assert bundle == trust_bundle([], [two + one], [])
    assert sorted(split_certificates(bundle)) == sorted(
        (*split_certificates(one), *split_certificates(two))
    )
