"""Whether the charm speaks TLS with servers, and whom it trusts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trust:
    """What connections rest on.

    While servers change from plain to TLS or back, some are of the one kind and some of the other,
    so each is asked. When all have changed to TLS nothing else is spoken with them: whoever could
    make a server look plain would be told the charm's password.

    Attributes:
        cas: The CA certificates (PEM) that sign the servers' certificates; empty if all is plain.
        is_strict: Whether all servers speak TLS.
        own: The address of this unit, which is asked whatever the others do, and believed: a
            server that was away during the change, or whose certificate has expired, is repaired
            by its own unit. What is said to it does not leave the machine.
    """

    cas: str = ""
    is_strict: bool = False
    own: str = ""

    def kind(self, address: str) -> bool | None:
        """Whether to speak TLS with a server, None if it has to be asked."""
        if not self.cas:
            return False
        return True if self.is_strict and address != self.own else None


PLAIN = Trust()
