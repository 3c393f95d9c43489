"""The charm's configuration, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(ValueError):
    """An option has a value that cannot be used; the message is for the unit's status."""


@dataclass(frozen=True)
class Settings:
    """What the operator of the charm can choose.

    Attributes:
        down_after: Seconds without an answer after which a Sentinel takes a server for down.
        failover_timeout: Seconds after which a failover that did not succeed is given up; the
            next attempt follows after twice that time.
    """

    down_after: int = 5
    failover_timeout: int = 15

    @classmethod
    def load(cls, config: Mapping[str, bool | int | float | str]) -> Settings:
        """Read and check the charm's options.

        Raises:
            SettingsError: If a value is out of its range.
        """
        defaults = cls()
        return cls(
            down_after=_whole(config, "down-after", defaults.down_after, 1, 300),
            failover_timeout=_whole(config, "failover-timeout", defaults.failover_timeout, 5, 600),
        )


def _whole(
    config: Mapping[str, bool | int | float | str],
    name: str,
    default: int,
    least: int,
    most: int,
) -> int:
    value = config.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {value}")
    return value
