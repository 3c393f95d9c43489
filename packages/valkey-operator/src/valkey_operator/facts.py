"""What the leader's decisions rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from valkey_client import RequestCertificate
from valkey_client.databag import Requests
from valkey_client.messages import Response

from .accounts import Version
from .observed import ClusterFacts
from .peers import Peer, Shared
from .settings import Settings


@dataclass(frozen=True)
class Asked:
    """A client relation that was looked at.

    Attributes:
        relation_id: Its id.
        requests: What the requirer asks for.
        granted: What was granted before, by request id.
        application: The requirer's name.
        shown: The certificates that requests come with, by request id.
    """

    relation_id: int
    requests: Requests
    granted: Mapping[str, Response] = field(default_factory=dict[str, Response])
    application: str = ""
    shown: Mapping[str, RequestCertificate] = field(default_factory=dict[str, RequestCertificate])


@dataclass(frozen=True)
class Facts:
    """Everything that the leader's decisions rest on.

    Attributes:
        peers: The units of the application.
        shared: What the leader has told them.
        cluster: What the servers and Sentinels say.
        relation_ids: The client relations that exist.
        asked: Those of them that were looked at.
        settings: The charm's configuration, None if a person has to correct it.
        planned: How many units the application is to have.
        certificates: Whether there is a provider of certificates.
        is_net: Whether this hook is the net below all others, Juju's clock: what has not happened
            by now is not waited for.
        client_cas: CAs of clients that the operator of the charm wants to be trusted, None if
            this hook did not look.
    """

    peers: tuple[Peer, ...]
    shared: Shared
    cluster: ClusterFacts
    relation_ids: frozenset[int] = frozenset()
    asked: tuple[Asked, ...] = ()
    settings: Settings | None = field(default_factory=Settings)
    planned: int = 0
    certificates: bool = False
    is_net: bool = False
    client_cas: tuple[str, ...] | None = None

    @property
    def absent(self) -> tuple[str, ...]:
        """Units that have started and whose server or Sentinel does not answer."""
        there = self.cluster.servers.keys() & self.cluster.sentinels.keys()
        return tuple(p.unit for p in self.peers if p.started and p.address not in there)

    def version_of(self, address: str) -> Version:
        """The version of a unit; if its server does not answer, one that every other knows."""
        server = self.cluster.servers.get(address)
        return server.version if server else self.cluster.oldest
