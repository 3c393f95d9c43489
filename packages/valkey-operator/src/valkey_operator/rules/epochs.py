"""Which server is the primary when Sentinels disagree.

Each successful failover has a configuration epoch, higher than all earlier ones. A Sentinel that
names a primary under the highest epoch has seen the latest failover, even if it is the only one:
a Sentinel that was down, or an old configuration file, names an older epoch.

A failover needs a majority of the Sentinels. So claims from so many Sentinels that the others are
no majority include the latest failover.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class PrimaryClaim:
    """What a Sentinel, a file or peer data claims about the primary.

    Attributes:
        address: The address of the primary; empty if none is claimed.
        epoch: The epoch of the failover that made it primary; 0 for the first primary.
        is_down: Whether Sentinels agree that it is down (``o_down``), and are about to replace it.
    """

    address: str = ""
    epoch: int = 0
    is_down: bool = False

    def is_before(self, address: str, epoch: int) -> bool:
        """Whether another server became primary later, in that epoch."""
        return bool(self.address) and self.address != address and self.epoch < epoch


def latest_primary(claims: Iterable[PrimaryClaim]) -> str:
    """The address under the highest epoch; if there are several, the most frequent one."""
    votes = _latest(claims)
    return votes.most_common(1)[0][0] if votes else ""


def agreed_primary(claims: Iterable[PrimaryClaim]) -> str:
    """The address under the highest epoch; empty unless most claims of that epoch agree."""
    votes = _latest(claims)
    address, count = votes.most_common(1)[0] if votes else ("", 0)
    return address if count * 2 > votes.total() else ""


def _latest(claims: Iterable[PrimaryClaim]) -> Counter[str]:
    """How often each address is claimed under the highest epoch."""
    named = [claim for claim in claims if claim.address]
    latest = max((claim.epoch for claim in named), default=0)
    return Counter(claim.address for claim in named if claim.epoch == latest)


def majority(units: int) -> int:
    """The smallest majority of that many Sentinels."""
    return units // 2 + 1


def is_certain(heard: int, units: int) -> bool:
    """Whether no failover can have happened without one of the Sentinels that answered.

    Args:
        heard: How many Sentinels have named their primary.
        units: How many Sentinels there are.
    """
    return units - heard < majority(units)
