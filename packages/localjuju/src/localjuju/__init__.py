"""Runs Juju charms as real processes on one machine, without a controller.

with localjuju.Juju() as juju:
    juju.deploy("./my-charm", num_units=3)
    juju.wait(jubilant.all_active)
"""

from .calls import HookCall, Subscription
from .errors import CharmError, LocalJujuError
from .failures import FailedHook
from .juju import Juju
from .model import Event
from .simulated import SimulatedApp
from .snapshot import (
    ApplicationSnapshot,
    RelationSnapshot,
    SecretSnapshot,
    Snapshot,
    UnitSnapshot,
)
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
