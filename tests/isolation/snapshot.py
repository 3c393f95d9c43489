"""What must be the same before and after an attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Snapshot:
    """What must be the same after an attempt, by name, as the server wrote it."""

    parts: Mapping[str, bytes]
    connections: int

    def changed_to(self, later: Snapshot) -> list[str]:
        """The names of what is different."""
        changed = [name for name, part in self.parts.items() if later.parts[name] != part]
        # The server counts upwards, unless somebody resets its statistics.
        return changed + ["statistics"] * (later.connections < self.connections)
