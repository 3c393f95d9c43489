from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from probe_model import Probe

import localjuju


@pytest.fixture(params=["warm", "process"])
def probe(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Probe]:
    script = tmp_path / "script.json"
    environment = {"PROBE_SCRIPT": str(script)}
    with localjuju.Juju(driver=request.param, environment=environment) as juju:
        yield Probe(juju, script)
