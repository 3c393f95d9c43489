"""Applications."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..charm import CharmSpec
from .status import Status
from .unit import Unit


@dataclass
class Application:
    """One application."""

    name: str
    charm: CharmSpec
    charm_version: int = 0
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    config_version: int = 0
    units: dict[str, Unit] = field(default_factory=dict[str, Unit])
    next_unit: int = 0
    leader: str = ""
    status: Status = field(default_factory=Status)
    trusted: bool = False
    alive: bool = True
