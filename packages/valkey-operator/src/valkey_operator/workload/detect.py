"""The workload of the substrate that this unit runs on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import ops

from . import Workload
from .process import ProcessWorkload

UNSUPPORTED = "Machines and Kubernetes are not supported yet; deploy this charm with localjuju"


def detect_workload(
    charm: ops.CharmBase, reason_to_refuse: Callable[[Path], str]
) -> Workload | None:
    """The workload of this unit; None on a substrate that the charm does not support.

    Args:
        charm: The charm.
        reason_to_refuse: Decides about each start of a server; see :mod:`..unit.start_check`.
    """
    if directory := os.environ.get("LOCALJUJU_DIR"):
        return ProcessWorkload(
            Path(directory) / "valkey",
            lambda: charm.model.storages["data"][0].location,
            charm.unit.name,
            reason_to_refuse,
        )
    return None
