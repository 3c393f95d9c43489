"""A pytest fixture: a model for a test."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .juju import Juju


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--localjuju-driver``."""
    parser.addoption(
        "--localjuju-driver",
        choices=("warm", "process"),
        default="warm",
        help="how the localjuju fixture runs hooks (default: warm)",
    )


class Hooks:
    """The hooks that other plugins may implement."""

    @staticmethod
    @pytest.hookspec
    def pytest_localjuju_environment(config: pytest.Config) -> Mapping[str, str]:  # pyright: ignore[reportReturnType]
        """Environment variables for every hook, such as a ``PATH`` with a workload."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """:class:`Hooks`."""
    pluginmanager.add_hookspecs(Hooks)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Add the timeline of the model to the report of a test that fails."""
    report = yield
    juju: Juju | None = getattr(item, "funcargs", {}).get("localjuju")
    if report.failed and juju is not None:
        report.sections.append(("localjuju timeline", str(juju.timeline)))
    return report


@pytest.fixture
def localjuju(request: pytest.FixtureRequest) -> Generator[Juju]:
    """A model of this test's own; its processes and files end with the test."""
    from .juju import Juju  # noqa: PLC0415 - only for tests that use it

    driver: Any = request.config.getoption("--localjuju-driver")
    environment: dict[str, str] = {}
    for variables in request.config.hook.pytest_localjuju_environment(config=request.config):
        environment.update(variables)
    with Juju(driver=driver, environment=environment) as juju:
        yield juju
