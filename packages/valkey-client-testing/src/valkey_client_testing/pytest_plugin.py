"""A pytest fixture: a Valkey operator with a real server, for a test of a charm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from localjuju import Juju

    from .deployment import Valkey


def pytest_localjuju_environment(config: pytest.Config) -> Mapping[str, str]:  # noqa: ARG001
    """Charms in the ``localjuju`` fixture find the Valkey of this machine."""
    from .binaries import find_binary  # noqa: PLC0415 - not for tests that do not ask for it

    return find_binary().environment()


@pytest.fixture
def valkey(localjuju: Juju) -> Valkey:
    """The operator as ``valkey`` in the model of the ``localjuju`` fixture, ready to be related.

    ``valkey.connect("app")`` is a client with the account that an application was given.
    """
    from .deployment import Valkey  # noqa: PLC0415

    return Valkey.deploy(localjuju)
