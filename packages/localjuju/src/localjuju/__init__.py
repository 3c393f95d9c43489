"""Runs Juju charms as real processes on one machine, without a controller.

with localjuju.Juju() as juju:
    juju.deploy("./my-charm", num_units=3)
    juju.wait(jubilant.all_active)
"""

from .calls import HookCall, Subscription
from .engine import FailedHook
from .errors import CharmError, LocalJujuError
from .juju import Juju
from .simulated import SimulatedApp
from .snapshot import (
    ApplicationSnapshot,
    RelationSnapshot,
    SecretSnapshot,
    Snapshot,
    UnitSnapshot,
)
from .state import Event
from .timeline import Entry, Timeline

__all__ = [
    "ApplicationSnapshot",
    "CharmError",
    "Entry",
    "Event",
    "FailedHook",
    "HookCall",
    "Juju",
    "LocalJujuError",
    "RelationSnapshot",
    "SecretSnapshot",
    "SimulatedApp",
    "Snapshot",
    "Subscription",
    "Timeline",
    "UnitSnapshot",
]
