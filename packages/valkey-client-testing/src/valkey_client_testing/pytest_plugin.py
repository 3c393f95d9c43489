"""The pytest fixture ``valkey``: the operator with a real server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from localjuju import Juju

    from ._deployment import Valkey


def pytest_localjuju_environment(config: pytest.Config) -> Mapping[str, str]:  # noqa: ARG001
    """The environment in which charms of the ``localjuju`` fixture find a Valkey."""
    from ._binaries import find_binary  # noqa: PLC0415 - only for tests that use it

    return find_binary().environment()


@pytest.fixture
def valkey(localjuju: Juju) -> Valkey:
    """The operator, deployed as ``valkey`` in the model of the ``localjuju`` fixture, and active.

    ``valkey.connect("app")`` is a client with the account of the application ``app``.
    """
    from ._deployment import Valkey  # noqa: PLC0415

    return Valkey.deploy(localjuju)
