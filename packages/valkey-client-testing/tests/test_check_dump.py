"""The checks of databags, on dumps of ``juju show-unit`` and on the vectors of the interface."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from valkey_client_testing import cli, fixtures
from valkey_client_testing.check import (
    Check,
    RequestDatabag,
    ResponseDatabag,
    _dump,
    reference,
    registry,
    run_check,
)
from valkey_client_testing.check.provider import responses
from valkey_client_testing.check.requirer import requests
from valkey_client_testing.fixtures import relation_for_provider, relation_for_requirer

INTERFACE = Path(__file__).parents[3] / "interface" / "v1"
VECTORS = {p.stem: json.loads(p.read_text()) for p in (INTERFACE / "vectors").glob("*.json")}


def unit_dump(
    unit: str, endpoint: str, databag: dict[str, str], relation: int = 7
) -> dict[str, Any]:
    """The output of ``juju show-unit`` for one relation."""
    info = {
        "relation-id": relation,
        "endpoint": endpoint,
        "related-endpoint": "other",
        "application-data": databag,
        "related-units": {"other/0": {"in-scope": True, "data": {}}},
    }
    return {unit: {"opened-ports": [], "relation-info": [info]}}


def write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


def failed_checks(checks: tuple[Check[Any], ...], subject: Any) -> set[str]:
    return {c.name for c in checks if run_check(c, subject).outcome == "fail"}


@pytest.mark.parametrize("wire", ["v0", "v1"])
def test_databags_of_the_library_pass(wire: Any, tmp_path: Path, capsys: Any) -> None:
    requirer = relation_for_requirer("valkey", "tls", app="app", wire=wire)
    provider = relation_for_provider("clients", wire=wire)
    file = write(
        tmp_path / "dump.json",
        unit_dump("app/0", "valkey", requirer.relation.remote_app_data)
        | unit_dump("valkey/0", "clients", provider.relation.remote_app_data),
    )
    contents = {str(s.id): s.tracked_content for s in requirer.secrets}
    secrets = write(tmp_path / "secrets.json", contents)
    code = cli.main(["check", "dump", str(file), "--secrets", str(secrets), "--json"])
    report = json.loads(capsys.readouterr().out)
    results = {c["name"]: c for c in report["checks"]}
    # The two fixtures do not have the same request.
    assert {n for n, c in results.items() if c["outcome"] == "fail"} <= {"app/0 valkey:7 v1-echo"}
    assert code in {0, 1}
    assert results["app/0 valkey:7 no-password"]["outcome"] == "pass"
    assert results["valkey/0 clients:7 prefix"]["outcome"] == "pass"
    assert fixtures.PASSWORD not in json.dumps(report)


def test_a_violation_is_printed_and_in_the_junit_report(tmp_path: Path, capsys: Any) -> None:
    granted = relation_for_requirer("valkey", app="app")
    databag = {**granted.relation.remote_app_data, "version": "9.1.2"}
    file = write(tmp_path / "dump.json", unit_dump("app/0", "valkey", databag))
    junit = tmp_path / "junit.xml"
    assert cli.main(["check", "dump", str(file), "--junit", str(junit)]) == 1
    text = capsys.readouterr().out
    assert "version is '9.1.2'" in text
    assert "1 fail" in text
    suite = ET.fromstring(junit.read_text())
    failures = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failures == ["app/0 valkey:7 v1-version"]
    assert suite.get("failures") == "1"
    assert suite.get("tests") == str(len(responses.CHECKS))


def test_the_output_of_juju_show_secret_is_read(tmp_path: Path) -> None:
    content = {"username": "u", "password": "p"}
    file = tmp_path / "secrets.yaml"
    file.write_text("abc:\n  revision: 1\n  content:\n    username: u\n    password: p\n")
    assert _dump.load_secrets(file) == {"abc": content}
    revealed = {"secret:abc": {"content": {"Data": content}}}
    assert _dump.load_secrets(write(tmp_path / "secrets.json", revealed)) == {"abc": content}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "app/0: {}", "app/0: {relation-info: [{relation-id: 1}]}"]
)
def test_a_file_that_is_not_a_dump_is_an_error(tmp_path: Path, capsys: Any, text: str) -> None:
    file = tmp_path / "dump.yaml"
    file.write_text(text)
    assert cli.main(["check", "dump", str(file)]) == 2
    assert str(file) in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(n for n in VECTORS if "provider" in VECTORS[n]["model"]))
def test_checks_of_responses_agree_with_the_models(name: str) -> None:
    vector = VECTORS[name]
    failed = failed_checks(responses.CHECKS, ResponseDatabag(vector["content"]))
    assert not (vector["valid"] and failed - {"v1-data", "server-version", "mode"}), failed


@pytest.mark.parametrize("name", sorted(n for n in VECTORS if "requirer" in VECTORS[n]["model"]))
def test_checks_of_requests_agree_with_the_models(name: str) -> None:
    vector = VECTORS[name]
    # The models accept any salt, as every implementation does.
    failed = failed_checks(requests.CHECKS, RequestDatabag(vector["content"])) - {"salt"}
    assert bool(failed) != vector["valid"], failed


def test_check_names_are_unique() -> None:
    names = [entry.name for entry in registry.entries()]
    assert len(set(names)) == len(names)


def test_list_prints_every_check(capsys: Any) -> None:
    assert cli.main(["check", "--list"]) == 0
    text = capsys.readouterr().out
    assert all(entry.name in text and entry.statement in text for entry in registry.entries())


def test_the_reference_page_is_current() -> None:
    page = INTERFACE.parents[1] / "docs" / "reference" / "checks.md"
    assert page.read_text() == reference.as_markdown(), "see the page's first lines"


def test_check_without_a_subject_is_an_error(capsys: Any) -> None:
    assert cli.main(["check"]) == 2
    assert "provider, requirer or dump" in capsys.readouterr().err
