from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from valkey_operator.rules.settings import Settings, SettingsError

CHARM = Path(__file__).parents[3] / "charmcraft.yaml"


def test_defaults_are_those_of_the_charm() -> None:
    options = yaml.safe_load(CHARM.read_text())["config"]["options"]
    assert (
        Settings.load({k: v["default"] for k, v in options.items() if "default" in v})
        == Settings()
    )


@pytest.mark.parametrize("value", [0, 301, -1, True, "5", 5.0])
def test_values_out_of_range_are_explained(value: Any) -> None:
    with pytest.raises(SettingsError, match="down-after must be a whole number from 1 to 300"):
        Settings.load({"down-after": value})
