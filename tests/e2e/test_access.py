"""An application asks for application:* and uses what it got on a real Valkey."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import jubilant
import pytest

import localjuju

from ..conftest import CHARMS, ROOT, MakeModel, failed_hooks, logged_events
from ..operator_model import OPERATOR
from .accounts import accounts, can_log_in, credentials


def body(juju: jubilant.Juju) -> None:
    """What an author of a charm would write; it says nothing of where it runs."""
    juju.deploy(ROOT, OPERATOR, num_units=3)
    juju.deploy(ROOT / "examples" / "greeter", "greeter")
    juju.integrate(OPERATOR, "greeter")
    juju.wait(jubilant.all_active, error=jubilant.any_error, delay=0.1, successes=1, timeout=120)
    assert juju.run("greeter/0", "greet", {"name": "you"}).results["times"] == "1"
    assert juju.run("greeter/0", "greet", {"name": "you"}).results["times"] == "2"
    clients = json.loads(juju.run(f"{OPERATOR}/leader", "list-clients").results["clients"])
    assert [(c["application"], c["prefix"]) for c in clients] == [("greeter", "application:*")]
    juju.remove_relation(OPERATOR, "greeter")
    juju.wait(lambda status: jubilant.all_blocked(status, "greeter"), delay=0.1, timeout=120)
    with pytest.raises(jubilant.TaskError, match="no access to Valkey"):
        juju.run("greeter/0", "greet")
    juju.remove_application("greeter")
    juju.wait(lambda status: "greeter" not in status.apps, delay=0.1, timeout=120)


@pytest.mark.parametrize("driver", ["warm", "process"])
def test_access_is_granted_and_withdrawn_on_both_drivers(
    make_model: MakeModel, driver: str
) -> None:
    juju = make_model(driver=driver)
    body(juju)
    assert failed_hooks(juju) == []


def test_access_is_granted_and_withdrawn_from_another_process(juju: localjuju.Juju) -> None:
    script = f"""
import sys, jubilant
sys.path.insert(0, {str(ROOT)!r})
from tests.e2e.test_access import body
body(jubilant.Juju(cli_binary={juju.cli_binary!r}))
"""
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert process.returncode == 0, process.stderr


def test_requests_are_added_changed_and_withdrawn(juju: localjuju.Juju) -> None:
    juju.deploy(ROOT, OPERATOR, num_units=2)
    juju.deploy(CHARMS / "scripted_requirer", "asker", config={"prefix": "one:*"})
    juju.integrate(OPERATOR, "asker")
    juju.settle()
    relation = juju.relation_id("asker", "valkey")
    (first,) = credentials(juju, relation)
    assert all(can_log_in(juju, f"{OPERATOR}/{n}", first) for n in (0, 1))

    juju.config("asker", {"prefix": "one:*,two:*"})
    juju.settle()
    both = credentials(juju, relation)
    assert first in both and len(both) == 2
    assert set(accounts(juju)[f"{OPERATOR}/1:26379"]) == {name for name, _ in both}

    juju.config("asker", {"prefix": "two:*"})
    juju.settle()
    (left,) = credentials(juju, relation)
    assert left != first
    assert all(names == {left[0]} for names in accounts(juju).values())
    assert not can_log_in(juju, f"{OPERATOR}/1", first)
    ready = [t["prefix"] for t in logged_events(juju, "asker/0") if t["event"] == "ready"]
    assert ready == ["one:*", "two:*"]
    assert failed_hooks(juju) == []


def test_removing_relation_1_keeps_relations_10_and_11(juju: localjuju.Juju) -> None:
    juju.deploy(ROOT, OPERATOR)
    for number in range(1, 12):
        juju.deploy(
            CHARMS / "scripted_requirer", f"app{number}", config={"prefix": f"a{number}:*"}
        )
        juju.integrate(OPERATOR, f"app{number}")
    juju.settle()
    assert juju.relation_id("app1", "valkey") == 1
    before = accounts(juju)[f"{OPERATOR}/0:6379"]
    assert len(before) == 11
    juju.remove_relation(OPERATOR, "app1")
    juju.settle()
    after = accounts(juju)[f"{OPERATOR}/0:6379"]
    assert {name.split("-")[1] for name in before - after} == {"1"}
    assert {name.split("-")[1] for name in after} == {str(n) for n in range(2, 12)}


def test_v0_requirer_gets_exactly_the_keys_of_v0(juju: localjuju.Juju) -> None:
    juju.deploy(ROOT, OPERATOR, num_units=3)
    secrets = '["username", "password", "tls", "tls-ca"]'
    bag = json.dumps({"database": "application:*", "requested-secrets": secrets})
    juju.deploy(ROOT / "examples" / "malformed_requirer", "old", config={"databag": bag})
    juju.integrate(OPERATOR, "old")
    juju.settle()
    answer = juju.databag(juju.relation_id("old", "valkey"), OPERATOR)
    secret_user = answer.pop("secret-user")
    secret_tls = answer.pop("secret-tls")
    salt = answer.pop("salt")
    data = json.loads(answer.pop("data"))
    hosts = [juju.address(f"{OPERATOR}/{number}") for number in range(3)]
    assert len(salt) == 16 and salt.isalnum()
    assert data["resource"] == "application:*"
    assert answer.pop("version").count(".") == 2
    assert answer == {
        "database": "application:*",
        "endpoints": f"{hosts[0]}:6379",
        "read-only-endpoints": f"{hosts[1]}:6379,{hosts[2]}:6379",
        "sentinel_endpoints": ",".join(f"{host}:26379" for host in hosts),
        "sentinel-endpoints": ",".join(f"{host}:26379" for host in hosts),
        "mode": "sentinel",
        "primary-name": "primary",
        "resource": "application:*",
    }
    user = juju.show_secret(secret_user, reveal=True).content
    assert user["username"] == f"relation-{juju.relation_id('old', 'valkey')}"
    assert juju.show_secret(secret_tls, reveal=True).content == {"tls": "false"}
    assert can_log_in(juju, f"{OPERATOR}/2", (user["username"], user["password"]))


def test_requirer_upgraded_from_v0_to_v1_keeps_one_account(
    juju: localjuju.Juju,
) -> None:
    juju.deploy(ROOT, OPERATOR)
    juju.deploy(CHARMS / "scripted_requirer", "asker", config={"wire": "v0"})
    juju.integrate(OPERATOR, "asker")
    juju.settle()
    relation = juju.relation_id("asker", "valkey")
    assert accounts(juju)[f"{OPERATOR}/0:6379"] == {f"relation-{relation}"}
    juju.config("asker", {"wire": "v1"})
    juju.settle()
    (name,) = accounts(juju)[f"{OPERATOR}/0:6379"]
    assert name.startswith(f"relation-{relation}-")
    assert "database" not in juju.databag(relation, OPERATOR)
    assert len([s for s in juju.secrets() if s.label and "valkey-client" in s.label]) == 2
    assert juju.status().apps["asker"].units["asker/0"].is_active
    assert failed_hooks(juju) == []


def test_packed_charm_runs(make_model: MakeModel, tmp_path: Path, binary: object) -> None:
    """A .charm is a zip file with its packages inside, as charmcraft makes it."""
    packages = tmp_path / "site"
    source = ROOT / "packages" / "valkey-client"
    subprocess.run(
        ["uv", "pip", "install", "-q", "--target", packages, source, "ops>=3.9,<4"], check=True
    )
    charm = tmp_path / "asker.charm"
    code = CHARMS / "scripted_requirer"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    with zipfile.ZipFile(charm, "w") as archive:
        archive.write(code / "charmcraft.yaml", "charmcraft.yaml")
        archive.write(code / "src" / "charm.py", "src/charm.py")
        for path in packages.rglob("*"):
            inside = Path("venv", "lib", version, "site-packages", path.relative_to(packages))
            archive.write(path, str(inside))
    juju = make_model()
    juju.deploy(CHARMS / "scripted_provider", "provider")
    juju.deploy(charm, "asker")
    juju.integrate("provider", "asker")
    juju.settle()
    assert [t["event"] for t in logged_events(juju, "asker/0")] == ["ready"]


@pytest.mark.parametrize(
    ("charm", "name"), [("scripted_provider", "provider"), ("scripted_requirer", "requirer")]
)
def test_juju_without_secrets_is_refused(make_model: MakeModel, charm: str, name: str) -> None:
    juju = make_model(juju_version="2.9.49", automatically_retry_hooks=False)
    juju.deploy(CHARMS / charm, name)
    juju.wait(lambda status: jubilant.all_error(status, name))
    logs = "\n".join(entry.text for entry in juju.timeline.entries("log"))
    assert "Juju 2.9.49 has no secrets" in logs
    assert "use Juju 3.0.3 or later" in logs
