"""Which kind of workload this unit has."""

from __future__ import annotations

import os
from pathlib import Path

import ops

from . import Workload
from .process import ProcessWorkload

UNSUPPORTED = "Machines and Kubernetes are not supported yet; deploy this charm in localjuju"


def detect_workload(charm: ops.CharmBase) -> Workload | None:
    """Where the servers of this unit run; None on a substrate that this charm does not support."""
    if directory := os.environ.get("LOCALJUJU_DIR"):
        return ProcessWorkload(
            Path(directory) / "valkey",
            lambda: charm.model.storages["data"][0].location,
            charm.unit.name,
        )
    return None
