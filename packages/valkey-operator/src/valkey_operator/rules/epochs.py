"""Who is primary, when those who know do not agree.

Each successful failover has a number, the configuration epoch, higher than all before. Whoever
names a primary under the highest one has seen the latest failover, be it alone: a Sentinel that
was away, or a configuration file of before, names an older one.

A failover needs a majority of the Sentinels. So whoever has heard so many that the others are no
majority has heard of the latest one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class PrimaryClaim:
    """A primary that somebody names.

    Attributes:
        address: Its address; empty if nobody is named.
        epoch: The failover that made it primary; 0 for the one that an application begins with.
        is_down: Whether Sentinels agree that it does not answer, and are about to replace it.
    """

    address: str = ""
    epoch: int = 0
    is_down: bool = False

    def is_before(self, address: str, epoch: int) -> bool:
        """Whether another one was made primary since, by the failover of that number."""
        return bool(self.address) and self.address != address and self.epoch < epoch


def latest_primary(found: Iterable[PrimaryClaim]) -> str:
    """The address under the highest epoch, the one named most often if there are several."""
    votes = _latest(found)
    return votes.most_common(1)[0][0] if votes else ""


def agreed_primary(found: Iterable[PrimaryClaim]) -> str:
    """The address under the highest epoch; empty if most of those who know it name others."""
    votes = _latest(found)
    address, count = votes.most_common(1)[0] if votes else ("", 0)
    return address if count * 2 > votes.total() else ""


def _latest(found: Iterable[PrimaryClaim]) -> Counter[str]:
    """How often each address is named under the highest epoch."""
    named = [one for one in found if one.address]
    latest = max((one.epoch for one in named), default=0)
    return Counter(one.address for one in named if one.epoch == latest)


def majority(units: int) -> int:
    """The quorum of so many Sentinels."""
    return units // 2 + 1


def is_certain(heard: int, units: int) -> bool:
    """Whether no failover can have happened without one of those that were heard.

    Args:
        heard: How many Sentinels have said whom they take for the primary.
        units: How many Sentinels there are.
    """
    return units - heard < majority(units)
