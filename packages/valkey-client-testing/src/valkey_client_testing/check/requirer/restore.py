"""Restore a requirer's access after a check."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from ..harness import RequirerHarness


@contextlib.contextmanager
def restore_access(harness: RequirerHarness) -> Generator[None]:
    """In the end, publish valid responses, whatever happens."""
    try:
        yield
    finally:
        harness.grant_access()
