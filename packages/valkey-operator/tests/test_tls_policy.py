"""What units and the leader tell each other about TLS."""

from __future__ import annotations

from valkey_operator.model.tls_policy import TlsPolicy, UnitTlsReport

from .certificate_texts import NEW, OLD, policy


def test_reports_and_policies_are_read_back_from_the_databag() -> None:
    report = UnitTlsReport("one", (OLD,), frozenset({"a"}))
    assert UnitTlsReport.read(report.text()) == report
    assert UnitTlsReport().text() == ""
    for written in (
        TlsPolicy(),
        policy(OLD, client_cas_by_source={"client-cas": (NEW,)}),
        policy(OLD, is_strict=True),
    ):
        assert TlsPolicy.read(written.entries()) == written
    assert set(TlsPolicy().entries().values()) == {""}
