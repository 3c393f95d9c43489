"""The charm's configuration, checked and typed."""

from __future__ import annotations

from dataclasses import dataclass

SHARED, STRICT = "shared", "strict"

_RANGES = {
    "down_after": (1, 300),
    "failover_timeout": (5, 600),
    "io_threads": (1, 128),
    "maxmemory": (0, 16 * 1024 * 1024),
}

MIN_MAXMEMORY = 32
"""MiB: with less, the charm's own connections do not fit beside those of clients, and no other
value could be set afterwards."""


LEAST_SAFE_DOWN_AFTER = 4
"""Seconds: after ``TILT``, which lasts 30 s, a Sentinel fails over only if the links of replicas
have been down for less than ten times ``down-after`` (Valkey 7.2 to 9.1)."""


class SettingsError(ValueError):
    """An option has a value that cannot be used; the message is for the unit's status."""


@dataclass(frozen=True)
class Settings:
    """What the Juju operator can choose; ``ops.CharmBase.load_config`` fills it.

    Attributes:
        down_after: Seconds without an answer after which a Sentinel takes a server for down.
        failover_timeout: Seconds after which a failover that did not succeed is given up; the
            next attempt follows after twice that time.
        io_threads: Threads of a server that read from and write to connections.
        isolation: ``shared`` grants prefixes that overlap, as the contract allows; ``strict``
            refuses them, and ``*``.
        allow_scan: Whether a request for SCAN is granted.
        maxmemory: MiB of data that a server may hold; 0 for three quarters of the memory.

    Raises:
        SettingsError: If a value is out of its range.
    """

    down_after: int = 5
    failover_timeout: int = 15
    io_threads: int = 1
    isolation: str = SHARED
    allow_scan: bool = False
    maxmemory: int = 0

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                option = name.replace("_", "-")
                raise SettingsError(
                    f"{option} must be a whole number from {least} to {most}, not {value}"
                )
        if 0 < self.maxmemory < MIN_MAXMEMORY:
            raise SettingsError(
                f"maxmemory must be 0 or at least {MIN_MAXMEMORY} MiB, not {self.maxmemory}"
            )
        if self.isolation not in {SHARED, STRICT}:
            raise SettingsError(f"isolation must be {SHARED} or {STRICT}, not {self.isolation}")

    @property
    def is_strict(self) -> bool:
        """Whether no two relations may share a key or channel."""
        return self.isolation == STRICT
