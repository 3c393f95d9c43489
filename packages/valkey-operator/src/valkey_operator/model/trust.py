"""Whether the charm speaks TLS with servers, and which CAs it trusts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trust:
    """What the charm's connections to servers and Sentinels rely on.

    While servers switch TLS on or off, some speak it and some do not, so each is probed. Once all
    have switched it on, the charm speaks nothing else: whoever could make a server look plain
    would be sent the charm's password.

    Attributes:
        cas: The trust bundle (PEM) for the servers' certificates; empty if all is plain.
        is_strict: Whether all servers speak TLS.
        own_address: The address of this unit, which is always probed and whose certificate is not
            verified: the unit repairs a server that missed the switch, or whose certificate has
            expired. What is sent to it does not leave the machine.
    """

    cas: str = ""
    is_strict: bool = False
    own_address: str = ""

    def expects_tls(self, address: str) -> bool | None:
        """Whether to speak TLS with a server; None if it has to be probed."""
        if not self.cas:
            return False
        return True if self.is_strict and address != self.own_address else None


PLAIN = Trust()
