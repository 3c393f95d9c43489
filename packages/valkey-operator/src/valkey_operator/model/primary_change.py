"""A change of primary, as Sentinel reports it to the charm."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PrimaryChange:
    """The change of primary that a hook was dispatched for; both are empty in any other hook.

    Attributes:
        old: The address of the former primary.
        new: The address of the new one.
    """

    old: str = ""
    new: str = ""


NO_CHANGE = PrimaryChange()
