"""``valkey-client check`` of the charms of this project."""

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
def test_the_operator_passes(binary: Binary, capsys: Any, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    scan = ("--config", "allow-scan=true")
    # Sooner than by default, to wait less.
    failover = ("--config", "down-after=2", "--config", "failover-timeout=5")
    output = ("--json", "--junit", str(junit))
    code = cli.main(["check", "provider", str(ROOT), *scan, *failover, *output])
    report = json.loads(capsys.readouterr().out)
    outcomes = {c["name"]: c["outcome"] for c in report["checks"]}
    assert code == 0, report
    assert report["ok"] is True
    # Older servers cannot limit an account to a database.
    own_database = "pass" if binary.version >= (9, 1, 2) else "not applicable"
    exceptions = {"own-database": own_database, "tls-ca": "not applicable"}
    assert outcomes == {**dict.fromkeys(provider.NAMES, "pass"), **exceptions}
    assert ET.fromstring(junit.read_text()).get("failures") == "0"


@pytest.mark.tls
@pytest.mark.timeout(900)
def test_the_operator_passes_over_tls(binary: Binary, capsys: Any) -> None:
    if not binary.has_tls:
        pytest.skip("this server has no TLS")
    certificates = ("--integrate", str(ROOT / "examples" / "certificates"))
    code = cli.main(["check", "provider", str(ROOT), *certificates, "--units", "1", "--json"])
    outcomes = {c["name"]: c["outcome"] for c in json.loads(capsys.readouterr().out)["checks"]}
    assert code == 0, outcomes
    assert outcomes["tls-ca"] == outcomes["login"] == outcomes["sentinel-login"] == "pass"


@pytest.mark.timeout(900)
def test_the_example_passes(capsys: Any) -> None:
    charm = ROOT / "examples" / "greeter"
    code = cli.main(["check", "requirer", str(charm), "--action", "greet", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert {c["name"]: c["seen"] for c in report["checks"] if c["outcome"] != "pass"} == {
        "request-options": "the request has no options"
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
        *("invalid-json", "unrequested-response", "unused-after-removal", "request-options"),
    }


@pytest.mark.timeout(900)
def test_a_provider_without_servers_passes_no_check_that_needs_one(capsys: Any) -> None:
    """Its endpoints are not on its units, so no account can log in."""
    cli.main(["check", "provider", str(CHARMS / "scripted_provider"), "--units", "1", "--json"])
    report = json.loads(capsys.readouterr().out)
    outcomes = {c["name"]: c["outcome"] for c in report["checks"]}
    needing = (
        *("login", "sentinel-login", "sentinel-primary", "inside-keys", "outside-keys"),
        *("inside-channels", "outside-channels", "keyless-commands", "release-request"),
        *(
            "release-relation",
            "similar-relation-ids",
            "failover",
            "channel-patterns",
            "keyspace-events",
        ),
        *("scan", "own-database", "invalid-options", "tls-ca"),
    )
    assert {outcomes[name] for name in needing} == {"not applicable"}
    assert outcomes["v1-echo"] == "pass"
    seen = next(c["seen"] for c in report["checks"] if c["name"] == "login")
    assert "runs no such server on this machine" in seen


@pytest.mark.parametrize(
    ("subject", "charm", "message"),
    [
        ("provider", "examples/greeter", "provides no endpoint"),
        ("requirer", ".", "requires no endpoint"),
        ("provider", "docs", "holds no charm"),
        ("provider", "nowhere", "there is no charm at"),
    ],
)
def test_a_charm_that_cannot_be_checked_is_an_error(
    subject: str, charm: str, message: str, capsys: Any
) -> None:
    assert cli.main(["check", subject, str(ROOT / charm)]) == 2
    assert message in capsys.readouterr().err
