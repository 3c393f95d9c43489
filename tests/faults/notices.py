"""What Sentinel made units run, after a change of primary."""

from __future__ import annotations

import localjuju

from ..operator_model import OPERATOR
from ..waits import until


def sentinel_notices(juju: localjuju.Juju, unit: str, begin: int) -> list[str]:
    """What Sentinel made a unit run."""
    return [
        entry.text
        for entry in juju.timeline.entries("hook")[begin:]
        if entry.subject == unit and "run-commands" in entry.text
    ]


def await_sentinel_notices(juju: localjuju.Juju, begin: int, former: str = "") -> None:
    """Wait until every unit was notified, and the former primary's unit also that it is lost."""
    until(
        lambda: [sentinel_notices(juju, f"{OPERATOR}/{n}", begin) for n in range(3)],
        all,
        what="Sentinel has run its script on every unit",
    )
    if former:
        until(
            lambda: any("primary-lost" in text for text in sentinel_notices(juju, former, begin)),
            what=f"Sentinel has told {former} that its server is not the primary any more",
        )
