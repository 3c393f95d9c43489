"""Dumps of ``juju show-unit``, and the vectors of the interface, held to the checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from valkey_client_testing import cli, fixtures
from valkey_client_testing.check import answers, dump, registry, requests
from valkey_client_testing.check.databags import Answer, Asked
from valkey_client_testing.check.results import Check
from valkey_client_testing.check.run import judge
from valkey_client_testing.fixtures import relation_for_provider, relation_for_requirer

INTERFACE = Path(__file__).parents[3] / "interface" / "v1"
VECTORS = {p.stem: json.loads(p.read_text()) for p in (INTERFACE / "vectors").glob("*.json")}


def shown(unit: str, endpoint: str, bag: dict[str, str], relation: int = 7) -> dict[str, Any]:
    """What ``juju show-unit`` prints of one relation."""
    info = {
        "relation-id": relation,
        "endpoint": endpoint,
        "related-endpoint": "other",
        "application-data": bag,
        "related-units": {"other/0": {"in-scope": True, "data": {}}},
    }
    return {unit: {"opened-ports": [], "relation-info": [info]}}


def write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


def outcome(checks: tuple[Check[Any], ...], subject: Any) -> set[str]:
    return {c.name for c in checks if judge(c, subject).outcome == "fail"}


@pytest.mark.parametrize("wire", ["v0", "v1"])
def test_what_the_library_writes_passes(wire: Any, tmp_path: Path, capsys: Any) -> None:
    requirer = relation_for_requirer("valkey", "tls", app="app", wire=wire)
    provider = relation_for_provider("clients", wire=wire)
    file = write(
        tmp_path / "dump.json",
        shown("app/0", "valkey", requirer.relation.remote_app_data)
        | shown("valkey/0", "clients", provider.relation.remote_app_data),
    )
    contents = {str(s.id): s.tracked_content for s in requirer.secrets}
    secrets = write(tmp_path / "secrets.json", contents)
    code = cli.main(["check", "dump", str(file), "--secrets", str(secrets), "--json"])
    report = json.loads(capsys.readouterr().out)
    seen = {c["name"]: c for c in report["checks"]}
    # The fixtures of the two sides do not name the same request.
    assert {n for n, c in seen.items() if c["outcome"] == "fail"} <= {"app/0 valkey:7 v1-echo"}
    assert code in {0, 1}
    assert seen["app/0 valkey:7 no-password"]["outcome"] == "pass"
    assert seen["valkey/0 clients:7 prefix"]["outcome"] == "pass"
    assert fixtures.PASSWORD not in json.dumps(report)


def test_a_violation_is_reported_to_people_and_to_ci(tmp_path: Path, capsys: Any) -> None:
    scene = relation_for_requirer("valkey", app="app")
    bag = {**scene.relation.remote_app_data, "version": "9.1.2"}
    file = write(tmp_path / "dump.json", shown("app/0", "valkey", bag))
    junit = tmp_path / "junit.xml"
    assert cli.main(["check", "dump", str(file), "--junit", str(junit)]) == 1
    text = capsys.readouterr().out
    assert "version is '9.1.2'" in text
    assert "1 fail" in text
    suite = ET.fromstring(junit.read_text())
    failures = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failures == ["app/0 valkey:7 v1-version"]
    assert suite.get("failures") == "1"
    assert suite.get("tests") == str(len(answers.CHECKS))


def test_juju_s_own_form_of_secrets_is_read(tmp_path: Path) -> None:
    content = {"username": "u", "password": "p"}
    file = tmp_path / "secrets.yaml"
    file.write_text("abc:\n  revision: 1\n  content:\n    username: u\n    password: p\n")
    assert dump.load_secrets(file) == {"abc": content}
    revealed = {"secret:abc": {"content": {"Data": content}}}
    assert dump.load_secrets(write(tmp_path / "secrets.json", revealed)) == {"abc": content}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "app/0: {}", "app/0: {relation-info: [{relation-id: 1}]}"]
)
def test_a_file_that_is_no_dump_is_refused(tmp_path: Path, capsys: Any, text: str) -> None:
    file = tmp_path / "dump.yaml"
    file.write_text(text)
    assert cli.main(["check", "dump", str(file)]) == 2
    assert str(file) in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(n for n in VECTORS if "provider" in VECTORS[n]["model"]))
def test_checks_of_answers_agree_with_the_models(name: str) -> None:
    vector = VECTORS[name]
    failed = outcome(answers.CHECKS, Answer(vector["content"]))
    assert not (vector["valid"] and failed - {"v1-data", "server-version", "mode"}), failed


@pytest.mark.parametrize("name", sorted(n for n in VECTORS if "requirer" in VECTORS[n]["model"]))
def test_checks_of_requests_agree_with_the_models(name: str) -> None:
    vector = VECTORS[name]
    # The models let any salt pass, as every implementation does.
    failed = outcome(requests.CHECKS, Asked(vector["content"])) - {"salt"}
    assert bool(failed) != vector["valid"], failed


def test_names_are_unique() -> None:
    names = [item.name for item in registry.listed()]
    assert len(set(names)) == len(names)


def test_list_prints_every_statement(capsys: Any) -> None:
    assert cli.main(["check", "--list"]) == 0
    text = capsys.readouterr().out
    assert all(item.name in text and item.statement in text for item in registry.listed())


def test_the_page_of_the_reference_is_current() -> None:
    page = INTERFACE.parents[1] / "docs" / "reference" / "checks.md"
    assert page.read_text() == registry.as_markdown(), "see the page's first lines"


def test_check_needs_a_subject(capsys: Any) -> None:
    assert cli.main(["check"]) == 2
    assert "provider, requirer or dump" in capsys.readouterr().err
