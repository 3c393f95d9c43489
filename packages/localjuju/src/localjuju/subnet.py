"""A part of the loopback network for each model, so that default ports never collide."""

from __future__ import annotations

import contextlib
import random
import socket

from .errors import LocalJujuError


class Subnet:
    """127.A.B.0/24, held by listening on one of its addresses; the kernel frees it."""

    def __init__(self, prefix: str, holder: socket.socket):
        self.prefix = prefix
        self._holder = holder

    def address(self, machine: int) -> str:
        """The address of a machine."""
        return f"{self.prefix}.{machine % 250 + 1}"

    def release(self) -> None:
        """Free the network."""
        self._holder.close()


def reserve() -> Subnet:
    """Reserve a network that no other model on this machine uses.

    Raises:
        LocalJujuError: If none is free.
    """
    choice = random.SystemRandom()
    for _ in range(200):
        prefix = f"127.{choice.randint(16, 250)}.{choice.randint(0, 255)}"
        holder = socket.socket(socket.AF_INET)
        with contextlib.suppress(OSError):
            holder.bind((f"{prefix}.254", 17070))
            holder.listen(1)
            return Subnet(prefix, holder)
        holder.close()
    raise LocalJujuError("no free loopback network; localjuju needs Linux, where 127/8 is local")
