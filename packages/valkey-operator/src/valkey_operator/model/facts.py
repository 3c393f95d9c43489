"""Everything that the leader's decisions rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from valkey_client import RequestCertificate, Requests, Response

from ..rules.accounts import Version
from ..rules.settings import Settings
from .cluster_state import ClusterState
from .peer_data import Peer, SharedState


@dataclass(frozen=True)
class ClientRelation:
    """A client relation whose requests this hook looks at.

    Attributes:
        relation_id: Its id.
        requests: What the requirer asks for.
        granted: The responses that gave access earlier, by request id.
        application: The requirer's name.
        certificates: The client certificates that come with requests, by request id.
    """

    relation_id: int
    requests: Requests
    granted: Mapping[str, Response] = field(default_factory=dict[str, Response])
    application: str = ""
    certificates: Mapping[str, RequestCertificate] = field(
        default_factory=dict[str, RequestCertificate]
    )


@dataclass(frozen=True)
class Facts:
    """Everything that the leader's decisions rest on.

    Attributes:
        peers: The units of the application.
        shared: What the leader wrote last.
        cluster: What the servers and Sentinels say.
        applications: The applications that are related as clients, by relation id.
        client_relations: Those relations whose requests this hook looks at.
        settings: The charm's configuration, None if a person has to correct it.
        planned_units: How many units Juju plans for the application.
        has_certificates: Whether there is a provider of certificates.
        is_periodic: Whether this is update-status: what should have happened by now is not
            waited for any longer.
        operator_cas: CAs of clients that the Juju operator integrated, None if this hook did not
            read them.
    """

    peers: tuple[Peer, ...]
    shared: SharedState
    cluster: ClusterState
    applications: Mapping[int, str] = field(default_factory=dict[int, str])
    client_relations: tuple[ClientRelation, ...] = ()
    settings: Settings | None = field(default_factory=Settings)
    planned_units: int = 0
    has_certificates: bool = False
    is_periodic: bool = False
    operator_cas: tuple[str, ...] | None = None

    @property
    def absent_units(self) -> tuple[str, ...]:
        """Units that have started and whose server or Sentinel does not answer."""
        answering = self.cluster.servers.keys() & self.cluster.sentinels.keys()
        return tuple(p.unit for p in self.peers if p.started and p.address not in answering)

    def version_of(self, address: str) -> Version:
        """The version of a unit; if its server does not answer, the oldest of the others."""
        server = self.cluster.servers.get(address)
        return server.version if server else self.cluster.oldest

    def unit_at(self, address: str) -> str:
        """The unit with this address; the address itself if no unit has it."""
        return next((peer.unit for peer in self.peers if peer.address == address), address)

    def name_of(self, relation_id: int) -> str:
        """How to name a client relation to a person, who sees no relation ids in Juju's status."""
        application = self.applications.get(relation_id, "")
        return (
            f"{application} (relation {relation_id})" if application else f"relation {relation_id}"
        )
