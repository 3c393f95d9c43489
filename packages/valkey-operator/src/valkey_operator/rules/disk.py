"""When a disk has too little space left for the server that writes to it."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024 * 1024

_LEAST_FREE = 1024 * _MIB
"""Bytes that are enough on a big disk, of which a twentieth would be more."""


@dataclass(frozen=True)
class DiskUsage:
    """The disk of a data directory, in bytes.

    Attributes:
        size: Of the disk; 0 if unknown.
        free: What is left of it.
        data: What the append-only files take.
    """

    size: int = 0
    free: int = 0
    data: int = 0


def disk_problem(disk: DiskUsage) -> str:
    """What a person should be told before the disk is full; empty if there is room enough.

    A rewrite of the append-only file needs as much space as the data take, and a server that
    cannot write to its disk refuses all writes.
    """
    needed = max(disk.data, min(disk.size // 20, _LEAST_FREE))
    if not disk.size or disk.free >= needed:
        return ""
    return (
        f"the storage data has {disk.free // _MIB} MiB free, and needs {needed // _MIB} MiB to"
        " rewrite the append-only file: grow it"
    )
