"""The tests of the two roles, run by the collection's tester over charms of this project."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

RUN = """
import sys
from pathlib import Path

import yaml
from interface_tester import InterfaceTester
from interface_tester.collector import gather_test_spec_for_version
from ops import testing

interface, charm = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(charm / "src"))
import charm as module

(charm_type,) = [
    c for n, c in vars(module).items() if n.endswith("Charm") and c.__module__ == "charm"
]


class LocalTester(InterfaceTester):
    def _collect_interface_test_specs(self):
        name, version = "valkey_client", 1
        return gather_test_spec_for_version(interface, name, version, tests_dir="tests")


metadata = yaml.safe_load((charm / "charmcraft.yaml").read_text())
tester = LocalTester()
tester.configure(
    charm_type=charm_type,
    config=metadata.pop("config", None),
    actions=metadata.pop("actions", None),
    meta={k: v for k, v in metadata.items() if k not in {"type", "platforms"}},
    interface_name="valkey_client",
    interface_version=1,
    interface_subdir="interface",
    tests_dir="tests",
    state_template=testing.State(leader=True),
)
print("ran", len(list(tester._yield_tests())), "tests")
tester.run()
"""


def collected(charm: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "run.py"
    script.write_text(RUN)
    packages = [f"--with={ROOT / 'packages' / name}" for name in (
        "localjuju", "valkey-client", "valkey-operator", "valkey-client-testing")]  # fmt: skip
    return subprocess.run(
        ["uv", "run", "--quiet", "--isolated", "--no-project", *packages,
         f"--with-requirements={HERE / 'requirements.txt'}",
         "python", script, HERE.parent, ROOT / charm],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.timeout(600)
@pytest.mark.parametrize("charm", ["tests/charms/scripted_provider", "examples/greeter"])
def test_our_charms_pass(charm: str, tmp_path: Path) -> None:
    done = collected(charm, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ran 5 tests" in done.stdout


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("charm", "fault", "message"),
    [
        ("scripted_provider", ('version="9.0.1"', 'version="latest"'), "server-version"),
        ("bad_requirer", ('default: ""', "default: salt"), "salt is 'short'"),
    ],
)
def test_a_violation_fails(
    charm: str, fault: tuple[str, str], message: str, tmp_path: Path
) -> None:
    copy = tmp_path / charm
    for name in ("charmcraft.yaml", "src/charm.py"):
        path = copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((ROOT / "tests" / "charms" / charm / name).read_text().replace(*fault))
    done = collected(str(copy), tmp_path)
    assert done.returncode != 0
    assert message in done.stderr


def test_the_metadata_is_what_the_collection_reads() -> None:
    metadata = yaml.safe_load((HERE.parent / "interface.yaml").read_text())
    assert metadata["name"] == "valkey_client"
    assert f"v{metadata['version']}" == HERE.parent.name
    for role in ("providers", "requirers"):
        for charm in metadata[role]:
            assert charm.keys() <= {"name", "url", "branch", "test_setup"}
            assert charm["url"].startswith("https://")
