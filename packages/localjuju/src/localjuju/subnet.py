"""A part of the loopback network for each model, so that default ports never collide."""

from __future__ import annotations

import contextlib
import ipaddress
import random
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from typing import Protocol

from .errors import LocalJujuError

_CHOICE = random.SystemRandom()


class Subnet(Protocol):
    """The addresses of a model's machines."""

    @property
    def prefix(self) -> str:
        """What all of them begin with."""
        ...

    def address(self, machine: int) -> str:
        """The address of a machine."""
        ...

    def release(self) -> None:
        """Free the network."""
        ...


@dataclass(frozen=True)
class LoopbackSubnet:
    """127.A.B.0/24, held by listening on one of its addresses; the kernel frees it."""

    prefix: str
    holder: socket.socket

    def address(self, machine: int) -> str:
        """See :class:`Subnet`."""
        return f"{self.prefix}.{machine % 250 + 1}"

    def release(self) -> None:
        """See :class:`Subnet`."""
        self.holder.close()


@dataclass
class Ipv6Subnet:
    """A /64 of unique local addresses; each is added to the loopback interface when it is used."""

    prefix: str
    added: list[str] = field(default_factory=list[str])

    def address(self, machine: int) -> str:
        """See :class:`Subnet`.

        Raises:
            LocalJujuError: If it cannot be added.
        """
        address = f"{self.prefix}::{machine + 1:x}"
        if address not in self.added:
            _ip("add", f"{address}/128", "dev", "lo", "nodad")
            self.added.append(address)
        return address

    def release(self) -> None:
        """See :class:`Subnet`."""
        while self.added:
            with contextlib.suppress(LocalJujuError):  # It has gone.
                _ip("del", f"{self.added.pop()}/128", "dev", "lo")


def _ip(verb: str, *arguments: str) -> None:
    executable = shutil.which("ip")
    if not executable:
        raise LocalJujuError("an IPv6 model needs the command ip (package iproute2)")
    command = [executable, "-6", "address", verb, *arguments]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise LocalJujuError(
            f"an IPv6 model needs root, and IPv6 on lo: {error.stderr.strip()}"
        ) from error


def host_network(address: str) -> str:
    """The network that consists of one address, as Juju writes it."""
    return str(ipaddress.ip_network(address))


def reserve(*, ipv6: bool = False) -> Subnet:
    """Reserve a network that no other model on this machine uses.

    Args:
        ipv6: Whether its addresses are IPv6 ones.

    Raises:
        LocalJujuError: If none is free, or it cannot be made.
    """
    if ipv6:
        groups = (_CHOICE.randint(0, 0xFFFF) for _ in range(3))
        return Ipv6Subnet(f"fd{_CHOICE.randint(0, 255):02x}:" + ":".join(f"{g:x}" for g in groups))
    for _ in range(200):
        prefix = f"127.{_CHOICE.randint(16, 250)}.{_CHOICE.randint(0, 255)}"
        holder = socket.socket(socket.AF_INET)
        with contextlib.suppress(OSError):
            holder.bind((f"{prefix}.254", 17070))
            holder.listen(1)
            return LoopbackSubnet(prefix, holder)
        holder.close()
    raise LocalJujuError("no free loopback network; localjuju needs Linux, where 127/8 is local")
