"""Known vulnerabilities of Valkey, by the upstream version that fixes them.

A distribution mends without a new upstream version, so this holds for builds of upstream only: an
image, or a binary of one's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .accounts import Version

_ADVISORIES: Mapping[str, tuple[Version, ...]] = {
    "CVE-2025-46818": ((7, 2, 11), (8, 0, 6), (8, 1, 4)),
    "CVE-2026-23479": ((7, 2, 13), (8, 0, 8), (8, 1, 7), (9, 0, 4)),
    "CVE-2026-25243": ((7, 2, 13), (8, 0, 8), (8, 1, 7), (9, 0, 4)),
    "CVE-2026-23631": ((7, 2, 13), (8, 0, 8), (8, 1, 7), (9, 0, 4)),
}
"""The first fixed version of each series that has the vulnerability. Series that are not named
begin later, and never had it."""


@dataclass(frozen=True)
class Vulnerabilities:
    """What is known of a version.

    Attributes:
        names: The vulnerabilities that it has.
        fixed: The first version of its series without them.
    """

    names: tuple[str, ...]
    fixed: Version


def vulnerabilities_of(version: Version) -> Vulnerabilities | None:
    """The known vulnerabilities of a version; None if there are none."""
    series = version[:2]
    fixes = {
        name: fixed
        for name, versions in _ADVISORIES.items()
        for fixed in versions
        if fixed[:2] == series and version < fixed
    }
    return Vulnerabilities(tuple(fixes), max(fixes.values())) if fixes else None
