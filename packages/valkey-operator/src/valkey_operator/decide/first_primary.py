"""Which unit becomes the primary when the servers cannot tell: none of them is one.

So it is after all units were removed and others were added with their storage, and after all
servers have ended and the data of the last primary are gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cmp_to_key

from ..model.facts import Facts
from ..model.peer_data import DataReport, Peer
from ..rules.append_only import Condition
from ..rules.epochs import PrimaryClaim, agreed_primary, is_certain


@dataclass(frozen=True)
class FirstPrimary:
    """The choice.

    Attributes:
        address: Of the unit that begins; empty if there is a doubt, or a report is missing.
        doubt: What a person has to decide; empty if nothing.
    """

    address: str = ""
    doubt: str = ""


def choose_first_primary(peers: Sequence[Peer], default: str) -> FirstPrimary:
    """The unit whose data are the newest.

    Args:
        peers: All units, none of which has ever started a server.
        default: The address of the unit that begins if none has data.
    """
    reports = [(peer, peer.data) for peer in peers if peer.data]
    for peer, report in reports:
        if report.is_accepted:
            return FirstPrimary(peer.address)
    if len(reports) < len(peers):
        return FirstPrimary()
    with_data = [(p, report) for p, report in reports if report.condition is not Condition.EMPTY]
    if not with_data:
        return FirstPrimary(default)
    addresses = {report.address for _, report in with_data}
    intact = [(p, report) for p, report in with_data if report.condition is Condition.PRESENT]
    newest = max(intact, key=lambda pair: _age(pair[1]), default=None)
    damaged = len(intact) < len(with_data)
    if newest and not damaged and newest[1].proves_newest_among(addresses):
        return FirstPrimary(newest[0].address)
    described = ", ".join(_describe(peer, report) for peer, report in with_data)
    return FirstPrimary(
        doubt=f"Newer data may exist than on {described}: attach the newest storage, or run"
        " the action accept-data-loss on the unit to begin with"
    )


def choose_successor(facts: Facts) -> str:
    """The address of the replica to promote when the last primary cannot serve; usually empty.

    A server that has just started is not promotable, so that Sentinels find no replica when all
    servers have ended. The leader makes one promotable: that with the newest data. It does so
    when the unit of the last primary says that its data are missing, or, with update-status, when
    that unit does not answer.
    """
    cluster = facts.cluster
    claims = [PrimaryClaim(s.primary, s.epoch) for s in cluster.sentinels.values()]
    last = agreed_primary(claims)
    has_primary = any(server.is_primary for server in cluster.servers.values())
    if not last or has_primary or not is_certain(len(claims), max(cluster.units, len(claims))):
        return ""
    reports = {peer.address: peer.data or DataReport() for peer in facts.peers if peer.started}
    is_lost = last in reports and reports[last].is_withheld
    waited_for = reports.keys() - cluster.servers.keys() - {last}
    if not facts.is_periodic and (not is_lost or waited_for):
        return ""
    # A replica that has never been in sync has no record of its data.
    intact = [
        address
        for address in cluster.servers
        if reports.get(address, _NONE).condition is Condition.PRESENT and reports[address].time
    ]
    return max(intact, key=lambda address: (_age(reports[address]), address), default="")


_NONE = DataReport()


def _compare(one: DataReport, other: DataReport) -> int:
    """Whose data are newer: negative if the other's."""
    if one.epoch != other.epoch:
        return one.epoch - other.epoch
    if one.is_final and other.is_final and one.replication_id == other.replication_id:
        return one.offset - other.offset
    return (one.time > other.time) - (one.time < other.time)


_age = cmp_to_key(_compare)


def _describe(peer: Peer, report: DataReport) -> str:
    if report.condition is Condition.DAMAGED:
        return f"{peer.unit} (damaged)"
    if not report.time:
        return f"{peer.unit} (age unknown)"
    return f"{peer.unit} ({datetime.fromtimestamp(report.time, timezone.utc):%Y-%m-%d %H:%M} UTC)"
