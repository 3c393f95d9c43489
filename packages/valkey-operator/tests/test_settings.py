"""The charm's options, and which values are refused."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import ops
import pytest
import yaml
from ops import testing

from valkey_operator.rules.settings import Settings, SettingsError

OPTIONS = yaml.safe_load((Path(__file__).parents[3] / "charmcraft.yaml").read_text())["config"]
"""What Juju reads."""


class Charm(ops.CharmBase):
    """Loads its options as the operator does."""


def load(**options: Any) -> Settings:
    """The settings of a charm that is deployed with these options."""
    config = {name.replace("_", "-"): value for name, value in options.items()}
    context = testing.Context(Charm, meta={"name": "v"}, config=OPTIONS)
    with context(context.on.config_changed(), testing.State(config=config)) as manager:
        return manager.charm.load_config(Settings)


def test_every_setting_is_an_option_with_the_same_default() -> None:
    defaults = {name: option.get("default") for name, option in OPTIONS["options"].items()}
    assert {field.name.replace("_", "-"): field.default for field in fields(Settings)} == {
        name: default for name, default in defaults.items() if default is not None
    }


def test_a_charm_without_options_has_the_default_settings() -> None:
    assert load() == Settings()


def test_options_are_loaded() -> None:
    assert load(down_after=7, allow_scan=True, isolation="strict") == Settings(
        down_after=7, allow_scan=True, isolation="strict"
    )


def test_options_that_are_not_settings_are_left_to_others() -> None:
    assert load(tls_private_key="secret:cg1s8rtkofvc7ef4ua00") == Settings()


def test_a_loaded_value_out_of_range_is_refused_with_its_option() -> None:
    with pytest.raises(SettingsError, match="failover-timeout must be a whole number from 5 to"):
        load(failover_timeout=1)


@pytest.mark.parametrize("value", [1, 31])
def test_memory_that_the_charm_itself_would_not_fit_in_is_refused(value: int) -> None:
    with pytest.raises(SettingsError, match="maxmemory must be 0 or at least 32 MiB"):
        load(maxmemory=value)
    assert load(maxmemory=32).maxmemory == 32


@pytest.mark.parametrize("value", [0, 301, -1, True, "5", 5.0])
def test_a_value_out_of_range_is_refused_with_its_option_and_range(value: Any) -> None:
    with pytest.raises(SettingsError, match="down-after must be a whole number from 1 to 300"):
        Settings(down_after=value)


def test_an_unknown_isolation_is_refused() -> None:
    with pytest.raises(SettingsError, match="isolation must be shared or strict, not none"):
        Settings(isolation="none")
