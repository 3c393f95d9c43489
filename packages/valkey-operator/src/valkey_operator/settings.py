"""The charm's configuration, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Options = Mapping[str, bool | int | float | str]

SHARED, STRICT = "shared", "strict"


class SettingsError(ValueError):
    """An option has a value that cannot be used; the message is for the unit's status."""


@dataclass(frozen=True)
class Settings:
    """What the operator of the charm can choose.

    Attributes:
        down_after: Seconds without an answer after which a Sentinel takes a server for down.
        failover_timeout: Seconds after which a failover that did not succeed is given up; the
            next attempt follows after twice that time.
        isolation: ``shared`` grants prefixes that overlap, as the contract allows; ``strict``
            refuses them, and ``*``.
        allow_scan: Whether a request for SCAN is granted.
        io_threads: Threads of a server that read from and write to connections.
        maxmemory: MiB of data that a server may hold; 0 for three quarters of the memory.
    """

    down_after: int = 5
    failover_timeout: int = 15
    io_threads: int = 1
    isolation: str = SHARED
    allow_scan: bool = False
    maxmemory: int = 0

    @property
    def is_strict(self) -> bool:
        """Whether no two relations may share a name."""
        return self.isolation == STRICT

    @classmethod
    def load(cls, config: Options) -> Settings:
        """Read and check the charm's options.

        Raises:
            SettingsError: If a value is out of its range.
        """
        defaults = cls()
        return cls(
            down_after=_whole(config, "down-after", defaults.down_after, 1, 300),
            failover_timeout=_whole(config, "failover-timeout", defaults.failover_timeout, 5, 600),
            io_threads=_whole(config, "io-threads", defaults.io_threads, 1, 128),
            isolation=_one_of(config, "isolation", SHARED, STRICT),
            allow_scan=config.get("allow-scan") is True,
            maxmemory=_whole(config, "maxmemory", defaults.maxmemory, 0, 16 * 1024 * 1024),
        )


def _whole(config: Options, name: str, default: int, least: int, most: int) -> int:
    value = config.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {value}")
    return value


def _one_of(config: Options, name: str, *values: str) -> str:
    """One of some words; the first is the default."""
    value = config.get(name, values[0])
    if value not in values:
        raise SettingsError(f"{name} must be {' or '.join(values)}, not {value}")
    return str(value)
