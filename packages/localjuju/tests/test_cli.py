"""jubilant on a local model, and the error messages of the juju command."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import jubilant
import pytest
from probe_model import PROBE, Probe

import localjuju
from localjuju import server
from localjuju.charm import CharmSpec


@pytest.fixture
def juju(tmp_path: Path) -> object:
    with localjuju.Juju(environment={"PROBE_SCRIPT": str(tmp_path / "none")}) as made:
        yield made


def test_config(juju: localjuju.Juju) -> None:
    juju.deploy(PROBE, "a", config={"number": 7, "flag": True})
    assert juju.config("a") == {"text": "x", "number": 7, "flag": True, "ratio": 0.5}
    juju.config("a", reset="number")
    assert juju.config("a")["number"] == 5


def test_status_show_unit_and_debug_log(juju: localjuju.Juju) -> None:
    juju.deploy(PROBE, "a", num_units=2)
    juju.settle()
    status = juju.wait(lambda status: jubilant.all_agents_idle(status, "a"))
    assert status.apps["a"].units["a/0"].leader
    assert status.apps["a"].relations["mates"][0].related_app == "a"
    unit = juju.show_unit("a/1")
    assert unit.relation_info[0].endpoint == "mates"
    assert unit.relation_info[0].related_units.keys() == {"a/0"}
    assert "a/0: install" in juju.debug_log()
    assert juju.version().major == 3
    assert juju.show_model().name == "local"


def test_user_secrets(juju: localjuju.Juju) -> None:
    juju.deploy(PROBE, "a")
    uri = juju.add_secret("mine", {"key": "value"})
    juju.grant_secret("mine", "a")
    juju.update_secret("mine", {"key": "other"})
    assert juju.show_secret(uri, reveal=True).content == {"key": "other"}
    assert juju.show_secret(uri, reveal=True, revision=1).content == {"key": "value"}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["deploy", "valkey"], "not a path"),
        (["deploy", "/nowhere"], "no charm at"),
        (["integrate", "a", "b"], 'application "a" not found'),
        (["integrate", "probe:nothing", "probe:in"], 'no endpoint "nothing"'),
        (["remove-relation", "probe:in", "probe:out"], "not found"),
        (["config", "probe", "number=many"], "expected int"),
        (["config", "probe", "colour=red"], 'unknown option "colour"'),
        (["show-unit", "probe/9"], 'unit "probe/9" not found'),
        (["fly"], 'does not know "juju fly"'),
        (["deploy", str(PROBE)], "already exists"),
        (["add-unit", "probe", "--attach-storage", "data/9"], "data/9"),
    ],
)
def test_mistakes_are_explained(juju: localjuju.Juju, command: list[str], message: str) -> None:
    juju.deploy(PROBE)
    with pytest.raises(jubilant.CLIError) as caught:
        juju.cli(*command)
    assert message in caught.value.stderr


def test_a_directory_without_metadata_is_no_charm(tmp_path: Path) -> None:
    with pytest.raises(localjuju.CharmError, match="must give a name"):
        CharmSpec.load(tmp_path, tmp_path)


def test_metadata_yaml_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "metadata.yaml").write_text("name: old\nrequires: {db: {interface: i}}\n")
    (tmp_path / "config.yaml").write_text("options: {a: {type: int, default: 1}}\n")
    spec = CharmSpec.load(tmp_path, tmp_path)
    assert spec.endpoints["db"].role == "requires"
    assert spec.default_config() == {"a": 1}


def test_an_archive_that_points_outside_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "evil.charm"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("../evil", "x")
    with pytest.raises(localjuju.CharmError, match="outside of itself"):
        CharmSpec.load(archive, tmp_path / "unpacked")
    assert not (tmp_path / "evil").exists()


def test_without_a_compiler_the_client_is_python(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(server.shutil, "which", lambda name: None)
    script = tmp_path / "script.json"
    with localjuju.Juju(driver="process", environment={"PROBE_SCRIPT": str(script)}) as juju:
        assert (juju.bin / "relation-set").resolve().read_text().startswith("#!")
        probe = Probe(juju, script)
        probe.on(
            "start", {"run": ["state-set", "--file", "-"], "stdin": '{"k": "v"}'}, ["is-leader"]
        )
        probe.deploy("a")
        juju.settle()
        assert probe.outputs("a/0", "start") == ["", "True\n"]


def test_the_program_ends_with_its_command() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "localjuju", "juju", "status", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert '"controller": "localjuju"' in process.stdout


def test_two_models_have_different_networks() -> None:
    with localjuju.Juju() as one, localjuju.Juju() as other:
        assert one._engine.model.subnet != other._engine.model.subnet


def test_the_fixture_shows_the_timeline_of_a_failure(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        f"""
def test_it(localjuju):
    localjuju.deploy({str(PROBE)!r}, "a")
    localjuju.settle(1)
    assert False
"""
    )
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert "localjuju timeline" in process.stdout
    assert "deployed from probe" in process.stdout
