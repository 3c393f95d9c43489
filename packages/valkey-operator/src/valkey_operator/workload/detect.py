"""The workload of the substrate that this unit runs on."""

from __future__ import annotations

import os
from pathlib import Path

import ops

from . import Workload
from .process import ProcessWorkload

UNSUPPORTED = "Machines and Kubernetes are not supported yet; deploy this charm with localjuju"


def detect_workload(charm: ops.CharmBase) -> Workload | None:
    """The workload of this unit; None on a substrate that the charm does not support."""
    if directory := os.environ.get("LOCALJUJU_DIR"):
        return ProcessWorkload(
            Path(directory) / "valkey",
            lambda: charm.model.storages["data"][0].location,
            charm.unit.name,
        )
    return None
