"""What somebody does who has nothing but our wheels: the tutorial, in a project of its own."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from ..conftest import ROOT
from ..docs.test_docs import FILE

PACKAGES = ("valkey-client", "valkey-client-testing", "valkey-operator", "localjuju")


def test_tutorial_works_outside_the_checkout(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tutorial" / "test-your-charm.md").read_text()
    files = dict(FILE.findall(text))
    assert files.keys() == {
        "pyproject.toml",
        "charmcraft.yaml",
        "src/charm.py",
        "tests/test_charm.py",
    }
    assert len(files["tests/test_charm.py"].splitlines()) < 30
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    dist = tmp_path / "dist"
    for package in PACKAGES:
        source = ROOT / "packages" / package
        command = ["uv", "build", "--quiet", "--wheel", "--out-dir", dist, source]
        subprocess.run(command, check=True)
    env = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("VIRTUAL_ENV", "PYTEST", "PYTHON"))
    }
    process = subprocess.run(
        ["uv", "run", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_charm.py"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stdout + process.stderr
    assert re.search(r"2 passed in", process.stdout)
