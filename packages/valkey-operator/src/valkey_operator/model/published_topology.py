"""The topology that all clients were told last, as the leader keeps it in peer data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from valkey_client import Endpoint, Topology
from valkey_client.messages import format_endpoints, parse_endpoints


@dataclass(frozen=True)
class PublishedTopology:
    """What a :class:`~valkey_client.Topology` says, with a digest in place of the CA certificates.

    Attributes:
        endpoints: The primary.
        read_only_endpoints: The replicas.
        sentinel_endpoints: The Sentinels.
        version: The version of the primary's server.
        tls_digest: Stands for what clients were told of TLS.
    """

    endpoints: tuple[Endpoint, ...] = ()
    read_only_endpoints: tuple[Endpoint, ...] = ()
    sentinel_endpoints: tuple[Endpoint, ...] = ()
    version: str = ""
    tls_digest: str = ""

    @classmethod
    def of(cls, topology: Topology) -> PublishedTopology:
        """From what clients are told."""
        return cls(
            tuple(sorted(topology.endpoints)),
            tuple(sorted(topology.read_only_endpoints)),
            tuple(sorted(topology.sentinel_endpoints)),
            topology.version,
            topology.tls_digest,
        )

    @classmethod
    def read(cls, text: str) -> PublishedTopology | None:
        """From peer data; None if nothing was published, or by a release with another format."""
        if not text:
            return None
        value: Any = json.loads(text)
        if not isinstance(value, list):
            return None
        fields = cast("list[Any]", value)
        if len(fields) != 5 or not all(isinstance(field, str) for field in fields):
            return None
        endpoints, read_only, sentinels, version, tls_digest = cast("list[str]", fields)
        return cls(
            parse_endpoints(endpoints),
            parse_endpoints(read_only),
            parse_endpoints(sentinels),
            version,
            tls_digest,
        )

    def text(self) -> str:
        """For peer data."""
        return json.dumps(
            [
                format_endpoints(self.endpoints),
                format_endpoints(self.read_only_endpoints),
                format_endpoints(self.sentinel_endpoints),
                self.version,
                self.tls_digest,
            ]
        )

    @property
    def server_hosts(self) -> frozenset[str]:
        """The hosts of all servers that clients know."""
        return frozenset(e.host for e in (*self.endpoints, *self.read_only_endpoints))
