"""The blocking client is the asyncio client without ``await``."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "scripts" / "make_blocking.py"


def test_the_blocking_client_is_made_from_the_asyncio_client() -> None:
    spec = importlib.util.spec_from_file_location("make_blocking", SCRIPT)
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made, present = script.make(script.SOURCE.read_text()), script.RESULT.read_text()
    hint = "run: uv run packages/valkey-client/scripts/make_blocking.py"
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(present)), hint
