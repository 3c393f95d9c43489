"""The options that the kit requests from a provider with each prefix."""

from __future__ import annotations

from typing import Any

OPTIONS_PREFIX = "kit-options:*"
DATABASE_PREFIX = "kit-database:*"
INVALID_PREFIX = "kit-invalid:*"

REQUESTED: dict[str, dict[str, Any]] = {
    OPTIONS_PREFIX: {
        "channel-patterns": ["kit-options:room.*"],
        "keyspace-events": True,
        "scan": True,
    },
    DATABASE_PREFIX: {"own-database": True},
    INVALID_PREFIX: {"channel-patterns": ["foreign:*"], "scan": "yes"},
}
"""The options of each prefix. No provider may grant those of the last one."""
