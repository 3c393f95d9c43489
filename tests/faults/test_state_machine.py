"""Anything in any order; see :mod:`.state_machine`.

The choice is always the same. FAULT_STEPS=5000 runs longer, for about an hour and a half, and
FAULT_SEED=... elsewhere, in FAULT_PROCESSES at a time:
``FAULT_STEPS=5000 FAULT_PROCESSES=2 uv run pytest tests/faults/test_state_machine.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..conftest import ROOT
from .state_machine import MODELS_OF_A_SEED, STEPS_OF_A_MODEL

STEPS = int(os.environ.get("FAULT_STEPS", "200"))
SEED = int(os.environ.get("FAULT_SEED", "1"))
PROCESSES = int(os.environ.get("FAULT_PROCESSES", "1"))

pytestmark = [pytest.mark.faults, pytest.mark.timeout(5 * STEPS)]


def run(seed: int) -> str:
    """Run the models of one seed; empty, or what went wrong."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.faults.state_machine", str(seed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return f"FAULT_SEED={seed}\n{ended.stdout}" if ended.returncode else ""


def test_invariants_hold_after_random_operations_and_faults() -> None:
    seeds = range(SEED, SEED + max(1, STEPS // (STEPS_OF_A_MODEL * MODELS_OF_A_SEED)))
    # Most of the time is spent waiting for Sentinels.
    with ThreadPoolExecutor(PROCESSES) as pool:
        failed = [found for found in pool.map(run, seeds) if found]
    assert not failed, "\n".join(failed)
