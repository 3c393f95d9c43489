"""Relations and their databags."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class RelationEnd:
    """One side of a relation."""

    app: str
    endpoint: str


@dataclass
class Relation:
    """A relation and its databags.

    Attributes:
        id: Its number.
        interface: The interface of its endpoints.
        ends: Its two sides, the provider's first; the only one of a peer relation.
        alive: Whether it is not being removed.
        app_data: The databag of each application.
        app_version: How often each of these was changed.
        unit_data: The databag of each unit.
        unit_version: How often each of these was changed.
        in_scope: The units that take part.
    """

    id: int
    interface: str
    ends: tuple[RelationEnd, ...]
    alive: bool = True
    app_data: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    app_version: dict[str, int] = field(default_factory=dict[str, int])
    unit_data: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    unit_version: dict[str, int] = field(default_factory=dict[str, int])
    in_scope: set[str] = field(default_factory=set[str])

    @property
    def is_peer(self) -> bool:
        """Whether it relates the units of one application."""
        return len(self.ends) == 1

    def end(self, app: str) -> RelationEnd | None:
        """The side of an application."""
        return next((end for end in self.ends if end.app == app), None)

    def other(self, app: str) -> RelationEnd:
        """The other side, as an application sees it; its own side in a peer relation."""
        return next((end for end in self.ends if end.app != app), self.ends[0])

    def endpoint(self, app: str) -> str:
        """What an application calls this relation."""
        end = self.end(app)
        return end.endpoint if end else ""

    def members_for(self, unit: str) -> set[str]:
        """The units that a unit sees."""
        app = unit.partition("/")[0]
        other = self.other(app).app
        return {u for u in self.in_scope if u.partition("/")[0] == other and u != unit}

    def __str__(self) -> str:
        return " ".join(f"{end.app}:{end.endpoint}" for end in self.ends)
