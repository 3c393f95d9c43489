"""Providers of certificates that write malformed data: no hook fails, and what is in use stays."""

from __future__ import annotations

import dataclasses
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import ops
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from ops import testing

from valkey_operator.model.tls_policy import TlsPolicy
from valkey_operator.tls.certificates import Certificates
from valkey_operator.tls.client_cas import ClientCas
from valkey_operator.tls.files import TlsFiles

from .authority import Party, pem

ADDRESS = "192.0.2.0"
BEGINS = datetime.now(timezone.utc) - timedelta(days=1)
ENDS = BEGINS + timedelta(days=30)
ROOT = Party("root", is_ca=True, begins=BEGINS, ends=ENDS)
ROOT_PEM = ROOT.pem
OTHER_REQUEST = (
    x509.CertificateSigningRequestBuilder()
    .subject_name(ROOT.name)
    .sign(ROOT.key, hashes.SHA256())
    .public_bytes(Encoding.PEM)
    .decode()
)
NESTED = "[" * 100_000
LONG_NUMBER = "[" + "1" * 10_000 + "]"


class Files(dict[str, str]):
    """A workload's files in memory."""

    read = dict[str, str].get

    def write(self, name: str, text: str) -> None:
        self[name] = text

    def remove(self, name: str) -> None:
        self.pop(name, None)


class Charm(ops.CharmBase):
    files: Files
    cas: list[Any]

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.certificates = Certificates(self, "certificates")
        self.client_cas = ClientCas(self, "client-cas")
        self.certificates.request(ADDRESS, ("v-0.local",))
        for name in ("certificates", "client-cas"):
            events = self.on[name]
            framework.observe(events.relation_created, self._on_event)
            framework.observe(events.relation_changed, self._on_event)
            framework.observe(events.relation_broken, self._on_event)
        framework.observe(self.on.update_status, self._on_event)

    def _on_event(self, _: ops.EventBase) -> None:
        unit = TlsFiles(self.files, TlsPolicy())  # type: ignore[arg-type]
        self.certificates.receive(unit, has_tls=True)
        self.cas.append((self.client_cas.read(trusted=()), self.client_cas.problem))


class Unit:
    """A unit of the charm with one relation, from hook to hook."""

    def __init__(self, endpoint: str = "certificates"):
        self.files = Files()
        self.cas: list[Any] = []
        kind = type("Charm", (Charm,), {"files": self.files, "cas": self.cas})
        requires = {
            "certificates": {"interface": "tls-certificates", "limit": 1},
            "client-cas": {"interface": "certificate_transfer"},
        }
        self.ctx: testing.Context[Any] = testing.Context(
            kind,
            meta={"name": "v", "requires": requires},
            config={"options": {"tls-private-key": {"type": "secret"}}},
        )
        self.relation = testing.Relation(endpoint, remote_app_name="signer")
        self.state = testing.State(leader=True, relations=[self.relation])
        self.run("relation_created")

    def run(self, event: str, bag: Mapping[str, str] | None = None) -> None:
        """Run a hook of the relation, after the provider has written a databag."""
        relation = self.current_relation()
        if bag is not None:
            relation = dataclasses.replace(relation, remote_app_data=dict(bag))
            self.state = dataclasses.replace(self.state, relations=[relation])
        self.state = self.ctx.run(getattr(self.ctx.on, event)(relation), self.state)

    def current_relation(self) -> testing.Relation:
        relation = self.state.get_relation(self.relation.id)
        assert isinstance(relation, testing.Relation)
        return relation

    def request(self) -> str:
        bag = self.current_relation().local_unit_data
        return json.loads(bag["certificate_signing_requests"])[0]["certificate_signing_request"]

    def answer(self, **changes: Any) -> dict[str, Any]:
        """An answer that can be used, with changes."""
        valid = {
            "certificate_signing_request": self.request(),
            "certificate": signed(self.request()),
            "ca": ROOT_PEM,
            "chain": [ROOT_PEM],
        }
        return {**valid, **changes}

    @property
    def tls(self) -> TlsFiles:
        return TlsFiles(self.files, TlsPolicy())  # type: ignore[arg-type]


def signed(request: str) -> str:
    csr = x509.load_pem_x509_csr(request.encode())
    builder = (
        x509.CertificateBuilder()
        .subject_name(csr.subject)
        .issuer_name(ROOT.name)
        .public_key(csr.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
    )
    return pem(builder.sign(ROOT.key, hashes.SHA256()))


def with_unknown_version(text: str) -> str:
    """The same certificate with a version that does not exist (RFC 5280, 4.1.2.1)."""
    der = bytearray(x509.load_pem_x509_certificate(text.encode()).public_bytes(Encoding.DER))
    at = der.index(b"\xa0\x03\x02\x01\x02")
    der[at + 4] = 7
    return f"-----BEGIN CERTIFICATE-----\n{b64encode(der).decode()}\n-----END CERTIFICATE-----\n"


def bag(*entries: Any, **more: str) -> dict[str, str]:
    return {"certificates": json.dumps(entries), **more}


# What the provider of certificates writes, and what the status says of it.

BAGS: dict[str, tuple[Callable[[Unit], dict[str, str]], str]] = {
    "not JSON": (lambda _: {"certificates": "garbage"}, "is not JSON"),
    "nested": (lambda _: {"certificates": NESTED}, "is not JSON"),
    "a long number": (lambda _: {"certificates": LONG_NUMBER}, "is not JSON"),
    "no list": (lambda _: {"certificates": '{"a": 1}'}, "is not a list"),
    "no answers": (lambda _: bag(1, "x", None, {}, {"ca": 1}), "5 malformed entries in"),
    "no CA": (lambda u: bag({**u.answer(), "ca": None}), "1 malformed entry in"),
    "no PEM": (lambda u: bag(u.answer(certificate="garbage")), "malformed leaf certificate"),
    "truncated": (
        lambda u: bag(u.answer(certificate=u.answer()["certificate"][:300])),
        "malformed leaf certificate",
    ),
    "empty": (lambda u: bag(u.answer(certificate="")), "malformed leaf certificate"),
    "no version": (
        lambda u: bag(u.answer(certificate=with_unknown_version(signed(u.request())))),
        "malformed leaf certificate",
    ),
    "CA no PEM": (lambda u: bag(u.answer(ca="\x00")), "malformed CA certificate"),
    "chain": (lambda u: bag(u.answer(chain=["x"])), "malformed certificate in the chain"),
    "request": (
        lambda u: bag(u.answer(certificate_signing_request="x")),
        "malformed certificate signing request",
    ),
    "no request": (
        lambda u: bag(u.answer(certificate_signing_request="")),
        "malformed certificate signing request",
    ),
}


@pytest.mark.parametrize("name", BAGS)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
def test_a_malformed_answer_is_reported_and_changes_nothing(name: str, *, is_first: bool) -> None:
    make, reason = BAGS[name]
    unit = Unit()
    if not is_first:
        unit.run("relation_changed", bag(unit.answer()))
        assert unit.tls.certificates.assigned_leaf
    offered, request = unit.tls.certificates.assigned_leaf, unit.request()
    unit.run("relation_changed", make(unit))
    assert unit.tls.certificates.problem.startswith(
        ("Malformed data from signer: ", "Certificate from signer refused: ")
    )
    assert reason in unit.tls.certificates.problem
    assert unit.tls.certificates.assigned_leaf == offered
    assert unit.request() == request
    unit.run("relation_changed", bag(unit.answer()))
    assert unit.tls.certificates.problem == ""
    assert unit.tls.certificates.assigned_leaf not in ("", offered)
    unit.run("relation_changed", make(unit))
    unit.run("relation_broken")
    assert unit.tls.certificates.assigned_leaf == unit.tls.certificates.problem == ""


def test_malformed_entries_of_other_units_are_ignored() -> None:
    unit = Unit()
    others = [{**unit.answer(certificate="x"), "certificate_signing_request": "other"}, 1]
    refusal = {"csr": OTHER_REQUEST, "error": {"code": 999, "name": "no", "message": "no"}}
    unit.run(
        "relation_changed",
        bag(
            *others,
            unit.answer(unknown="x"),
            unknown=NESTED,
            request_errors=json.dumps([refusal]),
        ),
    )
    assert unit.tls.certificates.assigned_leaf
    assert unit.tls.certificates.problem == ""


@pytest.mark.parametrize(
    "text",
    ["x", NESTED, LONG_NUMBER, '[{"csr": "", "error": {"code": 1, "name": "", "message": ""}}]'],
    ids=["not JSON", "nested", "a long number", "no request"],
)
def test_malformed_refusals_are_ignored(text: str) -> None:
    unit = Unit()
    unit.run("relation_changed", bag(unit.answer(), request_errors=text))
    assert unit.tls.certificates.assigned_leaf
    assert unit.tls.certificates.problem == ""


def test_a_refusal_is_reported_until_it_is_taken_back() -> None:
    unit = Unit()
    refusal = {"csr": unit.request(), "error": {"code": 999, "name": "no", "message": "no"}}
    unit.run("relation_changed", bag(request_errors=json.dumps([refusal])))
    assert "signer denied the certificate request: " in unit.tls.certificates.problem
    unit.run("relation_changed", {})
    assert unit.tls.certificates.problem == ""


def test_a_unit_requests_a_certificate_although_the_provider_wrote_malformed_data() -> None:
    unit = Unit()
    local = {**unit.current_relation().local_unit_data, "certificate_signing_requests": "[]"}
    relation = dataclasses.replace(unit.current_relation(), local_unit_data=local)
    unit.state = dataclasses.replace(unit.state, relations=[relation])
    unit.run("relation_changed", {"certificates": NESTED})
    assert unit.request()


# What a provider of CAs of clients writes.


@pytest.mark.parametrize(
    "malformed",
    [
        {"certificates": "garbage"},
        {"certificates": NESTED},
        {"certificates": LONG_NUMBER},
        {"certificates": "[1]"},
        {"certificates": '["x"]', "version": "x"},
    ],
    ids=["not JSON", "nested", "a long number", "no texts", "version"],
)
def test_malformed_cas_are_reported_and_those_before_stay_trusted(
    malformed: dict[str, str],
) -> None:
    unit = Unit("client-cas")
    valid = {"certificates": json.dumps([ROOT_PEM]), "version": "1"}
    unit.run("relation_changed", valid)
    ((ca,), problem) = unit.cas[-1]
    assert (ca.strip(), problem) == (ROOT_PEM.strip(), "")
    unit.run("relation_changed", malformed)
    (cas, problem) = unit.cas[-1]
    assert cas is None
    assert problem.startswith("Malformed CA certificates from signer: ")
    unit.run("relation_changed", {**valid, "unknown": NESTED})
    assert unit.cas[-1] == ((ROOT_PEM.strip(),), "")
    unit.run("relation_changed", malformed)
    unit.run("relation_broken")
    assert unit.cas[-1] == ((), "")
