"""The programs in benchmarks/ follow the code that they measure."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from ..conftest import ROOT

PROGRAMS = sorted(path.stem for path in Path(ROOT / "benchmarks").glob("[a-z]*.py"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_benchmark_can_be_imported_and_says_what_it_measures(name: str) -> None:
    program = importlib.import_module(name)
    assert program.__doc__
    assert callable(program.main)
    readme = (ROOT / "benchmarks" / "README.md").read_text()
    assert f"| `{name}.py` |" in readme
