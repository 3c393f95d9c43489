"""The kit over the charms of this project, as its command runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from valkey_client_testing import Binary, cli
from valkey_client_testing.check import provider, requirer

from ..conftest import CHARMS, ROOT


@pytest.mark.timeout(900)
def test_our_operator_passes(binary: Binary, capsys: Any, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    scan = ("--config", "allow-scan=true")
    code = cli.main(["check", "provider", str(ROOT), *scan, "--json", "--junit", str(junit)])
    report = json.loads(capsys.readouterr().out)
    outcomes = {c["name"]: c["outcome"] for c in report["checks"]}
    assert code == 0, report
    assert report["ok"] is True
    # Older servers cannot hold an account to a database.
    held = "pass" if binary.version >= (9, 1, 2) else "not applicable"
    silent = {"own-database": held, "tls-ca": "not applicable"}
    assert outcomes == {**dict.fromkeys(provider.NAMES, "pass"), **silent}
    assert ET.fromstring(junit.read_text()).get("failures") == "0"


@pytest.mark.tls
@pytest.mark.timeout(900)
def test_our_operator_passes_over_tls(binary: Binary, capsys: Any) -> None:
    if not binary.has_tls:
        pytest.skip("this server has no TLS")
    beside = ("--beside", str(ROOT / "examples" / "certificates"))
    code = cli.main(["check", "provider", str(ROOT), *beside, "--units", "1", "--json"])
    outcomes = {c["name"]: c["outcome"] for c in json.loads(capsys.readouterr().out)["checks"]}
    assert code == 0, outcomes
    assert outcomes["tls-ca"] == outcomes["login"] == outcomes["sentinel-login"] == "pass"


@pytest.mark.timeout(900)
def test_our_example_passes(capsys: Any) -> None:
    charm = ROOT / "examples" / "greeter"
    code = cli.main(["check", "requirer", str(charm), "--action", "greet", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert {c["name"]: c["seen"] for c in report["checks"] if c["outcome"] != "pass"} == {
        "request-options": "nothing is asked for beyond the prefix"
    }
    assert [c["name"] for c in report["checks"]] == list(requirer.NAMES)
    assert code == 0


@pytest.mark.timeout(900)
def test_a_v0_requirer_passes(capsys: Any) -> None:
    charm = CHARMS / "scripted_requirer"
    code = cli.main(["check", "requirer", str(charm), "--config", "wire=v0", "--json"])
    report = json.loads(capsys.readouterr().out)
    outcomes = {c["name"]: c["outcome"] for c in report["checks"]}
    assert code == 0, report
    assert {name for name, outcome in outcomes.items() if outcome == "not applicable"} == {
        *("request-id", "salt", "uses-access", "follows-endpoints", "uses-new-password"),
        *("hostile-text", "hostile-response", "gives-up", "request-options"),
    }


@pytest.mark.timeout(900)
def test_without_servers_nothing_that_needs_one_passes(capsys: Any) -> None:
    """Its endpoints lead to no unit of it, so that nobody can log in anywhere."""
    cli.main(["check", "provider", str(CHARMS / "scripted_provider"), "--units", "1", "--json"])
    report = json.loads(capsys.readouterr().out)
    outcomes = {c["name"]: c["outcome"] for c in report["checks"]}
    needing = (
        *("login", "sentinel-login", "sentinel-primary", "inside-keys", "outside-keys"),
        *("inside-channels", "outside-channels", "keyless", "release-request"),
        *("release-relation", "one-and-ten", "failover", "channel-patterns", "keyspace-events"),
        *("scan", "own-database", "options-beyond", "tls-ca"),
    )
    assert {outcomes[name] for name in needing} == {"not applicable"}
    assert outcomes["v1-echo"] == "pass"
    seen = next(c["seen"] for c in report["checks"] if c["name"] == "login")
    assert "runs no such server on this machine" in seen


@pytest.mark.parametrize(
    ("subject", "charm", "said"),
    [
        ("provider", "examples/greeter", "provides no endpoint"),
        ("requirer", ".", "requires no endpoint"),
        ("provider", "docs", "holds no charm"),
        ("provider", "nowhere", "there is no charm at"),
    ],
)
def test_what_cannot_be_checked_is_said(subject: str, charm: str, said: str, capsys: Any) -> None:
    assert cli.main(["check", subject, str(ROOT / charm)]) == 2
    assert said in capsys.readouterr().err
