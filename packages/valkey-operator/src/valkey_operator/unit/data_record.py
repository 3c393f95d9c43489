"""How new the data of a running server are."""

from __future__ import annotations

import time
from collections.abc import Iterable

from ..rules.append_only import DataRecord
from ..servers.cluster import Cluster
from ..servers.connection import ServerError


def data_record(
    cluster: Cluster, unit: str, address: str, epoch: int, others: Iterable[str]
) -> DataRecord:
    """The record of a running server, to be kept beside its data.

    Args:
        cluster: Connections to all servers.
        unit: The unit of the server.
        address: Of the server.
        epoch: The configuration epoch of the primary.
        others: The addresses of the other units that have a server.

    Raises:
        ServerError: If it does not answer, or is a replica without the primary's data.
    """
    if not cluster.observe_server(address).in_sync:
        raise ServerError(f"{address} is not in sync")
    replication_id, offset = cluster.replication(address)
    return DataRecord(
        epoch=epoch,
        replication_id=replication_id,
        offset=offset,
        time=time.time(),
        others=tuple(sorted(others)),
        unit=unit,
        address=address,
    )


def other_servers(cluster: Cluster, address: str) -> set[str]:
    """The addresses of the other servers that have the data of one that is about to stop.

    The peer relation does not tell any more: the other units have left it by then.
    """
    try:
        server = cluster.observe_server(address)
        primary = address if server.is_primary else server.primary
        return {primary, *cluster.replicas_of(primary)} - {address}
    except ServerError:
        return set()
