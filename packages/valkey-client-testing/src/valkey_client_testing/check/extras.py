"""What the kit asks a provider for beyond a prefix."""

from __future__ import annotations

from typing import Any

WIDE = "kit-wide:*"
OWN = "kit-own:*"
BEYOND = "kit-beyond:*"

ASKED: dict[str, dict[str, Any]] = {
    WIDE: {"channel-patterns": ["kit-wide:room.*"], "keyspace-events": True, "scan": True},
    OWN: {"own-database": True},
    BEYOND: {"channel-patterns": ["foreign:*"], "scan": "yes"},
}
"""What is asked for beyond each prefix. The last one has no right to what it asks for."""
