"""The most hook commands that a hook may call, juju-log apart.

``N`` is the number of relations on the endpoint and ``M`` that of requests in the relation at
hand. The ``N + 2`` that ops itself calls on any event of a relation are part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """So many calls, and so many more for each relation and each request."""

    fixed: int
    relation: int = 0
    request: int = 0

    def of(self, n: int = 0, m: int = 0) -> int:
        """The budget with ``n`` relations and ``m`` requests."""
        return self.fixed + self.relation * n + self.request * m

    def __str__(self) -> str:
        parts = [(self.relation, "N"), (self.request, "M")]
        terms = [f"{factor if factor > 1 else ''}{name}" for factor, name in parts if factor]
        return "+".join([*terms, str(self.fixed)])


PROVIDER: Mapping[str, Budget] = {
    "first request, v1": Budget(10, relation=1),
    "first request, v0": Budget(10, relation=1),
    "topology change": Budget(4, relation=3),
    "M requests in one relation": Budget(8, request=5),
}

OPERATOR: Mapping[str, Budget] = {
    "first request, v1": Budget(30, relation=1),
    "first request, v0": Budget(30, relation=1),
    "topology change": Budget(30, relation=4),
    "update-status, nothing to do": Budget(20, relation=1),
}

REQUIRER: Mapping[str, Budget] = {
    "created": Budget(6),
    "first response": Budget(8),
    "nothing new": Budget(5),
    "endpoints": Budget(6),
    "secret-changed": Budget(5),
}
