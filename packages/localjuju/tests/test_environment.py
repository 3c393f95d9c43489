"""Which Python a charm gets, and what stays of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

import localjuju

GREETER = Path(__file__).parents[3] / "examples" / "greeter"


@pytest.fixture(autouse=True)
def _cache_of_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let uv have its cache where it was."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    monkeypatch.setenv("UV_CACHE_DIR", os.environ.get("UV_CACHE_DIR") or str(Path(home) / "uv"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "localjuju"


def deploy() -> None:
    with localjuju.Juju() as juju:
        juju.deploy(GREETER, "greeter")
        juju.settle()
        assert not juju.failed_hooks()


def environments(cache: Path) -> dict[str, float]:
    """When each environment was made."""
    return {
        path.name: (path / "pyvenv.cfg").stat().st_mtime
        for path in cache.iterdir()
        if path.is_dir()
    }


def test_models_share_the_environment_of_a_charm_with_a_lock(cache: Path) -> None:
    deploy()
    first = environments(cache)
    assert len(first) == 1
    deploy()
    assert environments(cache) == first


def test_an_environment_that_was_not_used_for_long_is_removed(cache: Path) -> None:
    old = cache / "other-0123456789abcdef"
    old.mkdir(parents=True)
    old.with_suffix(".lock").touch()
    long_ago = time.time() - 31 * 86400
    os.utime(old, (long_ago, long_ago))
    deploy()
    assert not old.exists()
    assert len(environments(cache)) == 1


def test_a_charm_runs_where_nothing_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    deploy()
