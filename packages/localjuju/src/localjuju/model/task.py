"""Actions and command lines that a unit has to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Task:
    """An action that ``juju run`` waits for."""

    id: str
    unit: str
    action: str
    parameters: dict[str, Any]
    status: str = "pending"
    message: str = ""
    results: dict[str, Any] = field(default_factory=dict[str, Any])
    log: list[str] = field(default_factory=list[str])
    return_code: int = 0
    finished: bool = False


@dataclass
class Command:
    """A command line that ``juju-exec`` runs in a hook's context, for a process outside of it."""

    id: str
    text: str
    code: int = 1
    out: str = ""
    err: str = ""
    finished: bool = False
