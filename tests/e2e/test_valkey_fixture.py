"""The ``valkey`` fixture: an operator with a real server, for authors of charms."""

from __future__ import annotations

import jubilant
import pytest

import localjuju
from valkey_client_testing import NoAccessError, Valkey

from ..conftest import ROOT


def test_valkey_fixture_gives_a_charm_access(valkey: Valkey) -> None:
    valkey.juju.deploy(ROOT / "examples" / "greeter", "greeter")
    with pytest.raises(localjuju.LocalJujuError, match="nothing is related"):
        valkey.access("greeter")
    valkey.juju.integrate("valkey", "greeter")
    valkey.juju.wait(jubilant.all_active, timeout=180)
    valkey.juju.run("greeter/0", "greet", {"name": "you"})
    with valkey.connect("greeter") as connection:
        assert connection.get("application:greeted:you") == "1"
    with pytest.raises(NoAccessError):
        valkey.access("greeter", "other:*")


def test_shipped_copy_of_the_operator_is_up_to_date() -> None:
    from valkey_client_testing.charms import OPERATOR

    for name in ("charmcraft.yaml", "src/charm.py"):
        assert (OPERATOR / name).read_text() == (ROOT / name).read_text(), f"copy {name} again"
