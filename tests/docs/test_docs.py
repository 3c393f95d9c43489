"""Commands and files that the pages show, run as they stand."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import ROOT

PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/*.md"),
                 *ROOT.glob("interface/**/*.md")]
)  # fmt: skip
COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)\)")

# Run by themselves: the tests cannot run the tests, and set-up changes the checkout.
ELSEWHERE = {
    "uv run pytest": "what is running now",
    "uv sync": "has run, or nothing would",
    "uv run pre-commit install": "writes into .git",
    "uv run pytest test_visits.py": "with the tutorial's files, below",
    "uv run pytest tests/test_charm.py": "with the other tutorial, in tests/e2e/test_tutorial_outside_checkout.py",
    "uv build --quiet --all-packages --wheel --out-dir dist": "the same",
    "uv run valkey-client check requirer . --action write": "the same",
    "uv run valkey-client check provider .": "in tests/kit/test_command.py",
    "uv run valkey-client check requirer examples/greeter --action greet": "the same",
    "uv run valkey-client demo": "in the end-to-end tests, with more questions",
}


def commands() -> list[str]:
    commands_found: dict[str, None] = {}
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL):
            commands_found.update(dict.fromkeys(COMMAND.findall(block)))
    return list(commands_found)


@pytest.mark.parametrize("command", [c for c in commands() if c not in ELSEWHERE])
def test_documented_commands_run(command: str) -> None:
    process = subprocess.run(
        command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_every_skipped_command_is_documented() -> None:
    assert ELSEWHERE.keys() <= set(commands())


def test_first_charm_tutorial_works_as_written(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tutorial" / "first-charm.md").read_text()
    files = FILE.findall(text)
    assert {name for name, _ in files} == {
        "visits/charmcraft.yaml",
        "visits/src/charm.py",
        "test_visits.py",
    }
    for name, content in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_visits.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in process.stdout, process.stdout + process.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_code_blocks_parse_and_links_resolve(page: Path) -> None:
    text = page.read_text()
    for block in PYTHON.findall(text):
        ast.parse(block)
    for target in LINK.findall(text):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), target


def test_contributing_names_tests_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for path in re.findall(r"pytest (\S+/\S+?)[ `]", text):
        assert (ROOT / path).exists(), path


def test_justfile_runs_the_checks_of_ci() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    just = (ROOT / "justfile").read_text()
    for command in ("uv run ruff check", "uv run ruff format --check", "uv run pyright",
                    "uv run lint-imports"):  # fmt: skip
        assert command in ci
        assert command in just
