"""Random operations and faults; see :mod:`.state_machine`.

Each seed is a test, so that seeds run side by side. The choice is always the same: FAULT_STEPS=5000
runs more seeds, for about an hour and a half, and FAULT_SEED=... begins with another one.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ..conftest import ROOT
from .state_machine import MODELS_OF_A_SEED, STEPS_OF_A_MODEL

STEPS = int(os.environ.get("FAULT_STEPS", "100"))
FIRST = int(os.environ.get("FAULT_SEED", "1"))
SEEDS = range(FIRST, FIRST + max(1, STEPS // (STEPS_OF_A_MODEL * MODELS_OF_A_SEED)))

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("seed", SEEDS)
def test_invariants_hold_after_random_operations_and_faults(seed: int) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "tests.faults.state_machine", str(seed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert process.returncode == 0, f"FAULT_SEED={seed}\n{process.stdout}"
