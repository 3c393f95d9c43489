"""Runs Juju charms as real processes on one machine, without a controller.

with localjuju.Juju() as juju:
    juju.deploy("./my-charm", num_units=3)
    juju.wait(jubilant.all_active)
"""

from .errors import CharmError, LocalJujuError
from .juju import Juju
from .state import Event
from .timeline import Entry, Timeline

__all__ = ["CharmError", "Entry", "Event", "Juju", "LocalJujuError", "Timeline"]
