"""Settings that protect a server, and so all clients, from a single one.

An account's rule says which keys a client may use, not how much of the server. These settings
limit that as far as Valkey can.
"""

from __future__ import annotations

from .settings import Settings

MEMORY_SHARE = 0.75
"""The part of the machine's memory that data may take unless the configuration says otherwise;
the rest is for buffers, for the copy-on-write of a rewrite of the append-only file, for Sentinel
and the machine."""

_MIB = 1024 * 1024


def replication_buffer(memory: int) -> int:
    """Bytes of writes that a primary keeps for a replica that cannot take them yet.

    While a new replica receives all data, which takes about a second for 20 to 100 MB, every write
    waits for it here. If they do not fit, the primary disconnects it and it begins again, for ever
    under a steady load. An eighth of the memory is half of what the data leave free.
    """
    return max(256 * _MIB, memory // 8)


def replication_backlog(memory: int) -> int:
    """Bytes of writes with which a replica that was away for a moment need not receive all data.

    The memory is that of the replicas' buffers and is not taken twice (Valkey 7.0 and later).
    """
    return min(max(16 * _MIB, memory // 64), 512 * _MIB)


def resource_limits(settings: Settings, memory: int) -> dict[str, str]:
    """Settings of a server by name, spelled as ``CONFIG GET`` returns them.

    Args:
        settings: The charm's configuration.
        memory: The memory of the machine or container, in bytes.
    """
    data = settings.maxmemory * _MIB or int(memory * MEMORY_SHARE)
    return {
        "maxmemory": str(data),
        # A full server refuses writes. Any other policy deletes keys, no matter of which client.
        "maxmemory-policy": "noeviction",
        # Buffers of all clients together; the one with the largest is disconnected first.
        "maxmemory-clients": "10%",
        # A client that does not read its replies is disconnected: above 256 MiB at once, above
        # 64 MiB after a minute. The server's default for normal clients is no limit. For a replica
        # see above.
        "client-output-buffer-limit": (
            f"normal 268435456 67108864 60 slave {replication_buffer(memory)} 0 0"
            " pubsub 33554432 8388608 60"
        ),
        "repl-backlog-size": str(replication_backlog(memory)),
        # After that many milliseconds of a script, other clients get BUSY, and a Sentinel that
        # takes the server for down kills a script that has not written before it fails over.
        "busy-reply-threshold": "1000",
    }
