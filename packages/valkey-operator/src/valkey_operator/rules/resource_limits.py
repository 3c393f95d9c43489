"""What protects the server, and so all tenants, from one of them.

An account's rule says what a client may name, not how much of the server it may use. These
settings bound that as far as Valkey can.
"""

from __future__ import annotations

from .settings import Settings

MEMORY_SHARE = 0.75
"""The part of the machine's memory that data may take unless the configuration says otherwise;
the rest is for buffers, for the copy-on-write of a rewrite of the append-only file, for Sentinel
and the machine."""

_MIB = 1024 * 1024


def resource_limits(settings: Settings, memory: int) -> dict[str, str]:
    """Settings of a server by name, in the spelling in which it gives them back.

    Args:
        settings: The charm's configuration.
        memory: The memory of the machine or container, in bytes.
    """
    data = settings.maxmemory * _MIB or int(memory * MEMORY_SHARE)
    return {
        "maxmemory": str(data),
        # Whoever fills the memory has their own writes refused. Any other policy deletes keys,
        # and does not ask whose.
        "maxmemory-policy": "noeviction",
        # Buffers of all clients together; the one with the largest is disconnected first.
        "maxmemory-clients": "10%",
        # A client that does not read its answers is disconnected: at 256 MiB at once, or at
        # 64 MiB for a minute. The server's default for normal clients is no limit at all.
        "client-output-buffer-limit": (
            "normal 268435456 67108864 60 slave 268435456 67108864 60 pubsub 33554432 8388608 60"
        ),
        # From then on others are answered BUSY instead of nothing, and a Sentinel that takes the
        # server for down ends a script that has not written yet before it fails over.
        "busy-reply-threshold": "1000",
    }
