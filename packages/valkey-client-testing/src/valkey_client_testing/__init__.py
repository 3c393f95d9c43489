"""Fixtures, a conformance kit and a demonstration for the ``valkey_client`` relation."""

from .binaries import Binary, NoBinaryError, find_binaries, find_binary

__all__ = ["Binary", "NoBinaryError", "find_binaries", "find_binary"]
