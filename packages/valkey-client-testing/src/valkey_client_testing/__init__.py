"""Fixtures, a conformance kit and a demonstration for the ``valkey_client`` relation."""

from ._binaries import Binary, NoBinaryError, find_binaries, find_binary
from ._deployment import NoAccessError, Valkey

__all__ = [
    "Binary",
    "NoAccessError",
    "NoBinaryError",
    "Valkey",
    "find_binaries",
    "find_binary",
]
