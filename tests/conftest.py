"""What the tests that cross packages share."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

import localjuju
from valkey_client_testing import Binary, find_binary

from .waits import PatientJuju

ROOT = Path(__file__).parent.parent
CHARMS = Path(__file__).parent / "charms"


@pytest.fixture(scope="session")
def binary() -> Binary:
    return find_binary()


@pytest.fixture
def short_path() -> Generator[Path]:
    """A directory with a short name: a socket's path is limited to 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="vk-"))
    yield path
    shutil.rmtree(path)


HAS_FAILED = pytest.StashKey[bool]()
TIMELINES = pytest.StashKey[list[localjuju.Timeline]]()

MakeModel = Callable[..., localjuju.Juju]


@pytest.fixture
def make_model(binary: Binary, request: pytest.FixtureRequest) -> Generator[MakeModel]:
    """Makes models in which charms find the Valkey of this machine."""
    models: list[localjuju.Juju] = []

    def make(**options: Any) -> localjuju.Juju:
        options.setdefault("environment", binary.environment())
        options.setdefault("driver", request.config.getoption("--localjuju-driver"))
        juju = PatientJuju(**options)
        models.append(juju)
        request.node.stash.setdefault(TIMELINES, []).append(juju.timeline)
        return juju

    yield make
    for juju in models:
        juju.close()


@pytest.fixture
def juju(make_model: MakeModel) -> localjuju.Juju:
    return make_model()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    if report.failed:
        item.stash[HAS_FAILED] = True
        for timeline in item.stash.get(TIMELINES, []):
            text = "\n".join(str(entry) for entry in timeline.entries())
            report.sections.append(("timeline", text[-20000:]))
    return report


def logged_events(juju: localjuju.Juju, unit: str) -> list[dict[str, Any]]:
    """The events that a scripted charm has logged, in their order."""
    return [
        json.loads(entry.text.removeprefix("EVENT "))
        for entry in juju.timeline.entries("log")
        if entry.subject == unit and entry.text.startswith("EVENT ")
    ]


def failed_hooks(juju: localjuju.Juju) -> list[str]:
    """The hooks that failed so far."""
    return [str(failure) for failure in juju.failed_hooks()]
