"""Requests, responses and topology, without the format of a databag."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from ._prefix import KeyPrefix
from .options import RequestOptions

Wire = Literal["v0", "v1"]
"""The two forms a relation can take; the requirer chooses."""

DEFAULT_SECRETS = ("username", "password", "tls", "tls-ca")
"""The fields that are in secrets by default (contract, *Requirer*)."""

PRIMARY_NAME = "primary"
"""The name under which Sentinels know the primary, if the provider publishes none."""

_ENDPOINT = (
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.~-]+)?)\]|(?P<host>[A-Za-z0-9_.-]+))"
    r":(?P<port>[0-9]{1,5})\Z"
)
"""An IPv6 address, with a zone or without, is written in brackets: without them nobody could tell
where it ends."""
_PLAIN_ID = r"[A-Za-z0-9]{1,64}\Z"


class Endpoint(NamedTuple):
    """An address that a client connects to: a host name or IP address, and a TCP port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Endpoint | None:
        """Read ``host:port`` or ``[ipv6]:port``; None if the text is neither."""
        match = re.match(_ENDPOINT, text.strip())
        if not match or not 0 < int(match["port"]) < 65536:
            return None
        if match["ipv6"] and not _is_ipv6(match["ipv6"]):
            return None
        return cls(match["host"] or match["ipv6"], int(match["port"]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _is_ipv6(text: str) -> bool:
    import ipaddress  # noqa: PLC0415 - few hooks see one

    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def parse_endpoints(text: str) -> tuple[Endpoint, ...]:
    """Read a comma-separated list; what is not an endpoint is left out."""
    return tuple(e for part in text.split(",") if (e := Endpoint.parse(part)))


def format_endpoints(endpoints: Iterable[Endpoint]) -> str:
    """Write a comma-separated list in a stable order, so that equal sets are equal text."""
    return ",".join(str(endpoint) for endpoint in sorted(endpoints))


@dataclass(frozen=True)
class Topology:
    """Where the service is; the same for all requirers of a provider.

    Attributes:
        endpoints: Where to write: the primary.
        read_only_endpoints: Where to read: the replicas.
        sentinel_endpoints: The Sentinels.
        version: The version of the server, such as ``9.1.2``.
        mode: How the service is highly available; the contract has ``sentinel`` only.
        primary_name: The name under which Sentinels know the primary.
        tls: Whether the endpoints use TLS.
        tls_ca: The CA certificates (PEM) that clients must trust, when TLS is on.
    """

    endpoints: tuple[Endpoint, ...] = ()
    read_only_endpoints: tuple[Endpoint, ...] = ()
    sentinel_endpoints: tuple[Endpoint, ...] = ()
    version: str = ""
    mode: str = "sentinel"
    primary_name: str = PRIMARY_NAME
    tls: bool = False
    tls_ca: str = field(default="", repr=False)

    @property
    def tls_secret(self) -> dict[str, str]:
        """Content of ``secret-tls``; ``tls`` is lowercase JSON, or v1 requirers break."""
        return {"tls": "true", "tls-ca": self.tls_ca} if self.tls else {"tls": "false"}

    @property
    def tls_digest(self) -> str:
        """A short digest of :attr:`tls_secret`, to notice a change without reading a secret."""
        text = "\n".join(f"{key}={value}" for key, value in sorted(self.tls_secret.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Access:
    """Everything an application needs in order to use its part of Valkey.

    Attributes:
        prefix: The range of keys and channels, such as ``application:*``.
        username: The account, the same on every server and every Sentinel.
        password: Its password; never shown by ``repr``.
        topology: Where the service is.
        database: The number of the database to select, 0 unless the provider says otherwise.
        options: What was granted beyond the prefix; less than was asked for if the provider does
            not know an option, or may not grant it.
    """

    prefix: str
    username: str
    password: str = field(repr=False)
    topology: Topology
    database: int = 0
    options: RequestOptions = field(default_factory=RequestOptions)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where to write."""
        return self.topology.endpoints

    @property
    def read_only_endpoints(self) -> tuple[Endpoint, ...]:
        """Where to read; may be empty."""
        return self.topology.read_only_endpoints

    @property
    def sentinel_endpoints(self) -> tuple[Endpoint, ...]:
        """The Sentinels; may be empty."""
        return self.topology.sentinel_endpoints

    @property
    def primary_name(self) -> str:
        """The name to ask Sentinels for."""
        return self.topology.primary_name

    @property
    def version(self) -> str:
        """Version of the server."""
        return self.topology.version

    @property
    def tls(self) -> bool:
        """Whether to connect with TLS."""
        return self.topology.tls

    @property
    def tls_ca(self) -> str:
        """CA certificates (PEM) to trust; empty without TLS."""
        return self.topology.tls_ca


def request_id(resource: str, salt: str) -> str:
    """The id that v1 requirers in the field compute: 16 hex digits of SHA-256."""
    return hashlib.sha256(f"{resource}:{salt}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class AccessRequest:
    """One request for a part of Valkey, as a provider received it or a requirer sends it.

    Attributes:
        prefix: The range of keys and channels.
        request_id: What the requirer calls this request; empty in v0, which has only one.
        salt: Echoed back; 16 letters or digits.
        relation_id: The Juju relation it came through; -1 if it was not received.
        wire: The format of that relation.
        alias: In v0, the field that carried the prefix; echoed back.
        options: What is asked for beyond the prefix; v1 only.
        secret_mtls: URI of the requirer's secret with its clients' certificate, or the CA of it,
            in ``mtls-cert``; v1 only.
        mtls_cert: The same certificate, encrypted, as it is sent to another model.
        extra: Fields of a v1 request that this library does not know, as they came.
    """

    prefix: KeyPrefix
    request_id: str = ""
    salt: str = ""
    relation_id: int = -1
    wire: Wire = "v1"
    alias: str = ""
    options: RequestOptions = field(default_factory=RequestOptions)
    secret_mtls: str = ""
    mtls_cert: str = field(default="", repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)

    @property
    def digest(self) -> str:
        """A digest of what is asked for beyond the prefix; empty for nothing."""
        if not (self.secret_mtls or self.mtls_cert):
            return self.options.digest
        text = f"{self.options.digest}\n{self.secret_mtls}\n{self.mtls_cert}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def key(self) -> str:
        """What represents :attr:`request_id` in labels and usernames.

        The id if it is letters and digits, otherwise a digest of it: ids are remote text and may
        contain anything.
        """
        return request_key(self.request_id)

    @property
    def username(self) -> str:
        """The account that belongs to this request, named as providers in the field do."""
        return account_name(self.relation_id, self.request_id)


def request_key(request_id: str) -> str:
    """See :attr:`AccessRequest.key`."""
    if not request_id or re.match(_PLAIN_ID, request_id):
        return request_id
    return hashlib.sha256(request_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def request_salt(
    model_uuid: str, application: str, endpoint: str, relation_id: int, prefix: str
) -> str:
    """The salt that a requirer sends: the same on every unit, so that a request is sent once."""
    seed = f"{model_uuid}/{application}/{endpoint}/{relation_id}/{prefix}"
    return hashlib.sha256(seed.encode()).hexdigest()[:16]


def secret_label(endpoint: str, relation_id: int, request_id: str, group: str) -> str:
    """The label of a request's secret, on either side.

    These are the labels of the field, so that a charm can change from one library to another.
    """
    parts = [endpoint, str(relation_id), request_key(request_id), group, "secret"]
    return ".".join(part for part in parts if part)


def account_name(relation_id: int, request_id: str) -> str:
    """``relation-ID`` in v0, ``relation-ID-REQUEST`` in v1."""
    key = request_key(request_id)
    return f"relation-{relation_id}-{key}" if key else f"relation-{relation_id}"


class RelationStatus(NamedTuple):
    """What a provider tells a requirer about the relation or a request.

    Attributes:
        code: 1xxx informs, 4xxx is transient, 5xxx needs a person.
        message: What is wrong.
        resolution: What to do.
    """

    code: int
    message: str
    resolution: str = ""

    @property
    def is_informational(self) -> bool:
        """Whether nothing is wrong."""
        return self.code < 4000

    @property
    def needs_a_person(self) -> bool:
        """Whether waiting will not help."""
        return self.code >= 5000


class Response(NamedTuple):
    """What a provider's databag says about one request.

    Attributes:
        resource: The prefix, echoed.
        request_id: The id, echoed; empty in v0.
        salt: The salt, echoed.
        topology: Without TLS, which is in a secret.
        secret_user: URI of the secret with ``username`` and ``password``.
        secret_tls: URI of the secret with ``tls`` and ``tls-ca``.
        database: Number of the database to select.
        options: What was granted beyond the prefix.
        tls_digest: The provider's note of the content of ``secret_tls``.
        request_digest: The provider's note of the request that it answered:
            :attr:`AccessRequest.digest`.
        statuses: The provider's note of the statuses of this request.
        alias: In v0, the field that carried the prefix.
        extra: Keys that this library does not know.
    """

    resource: str
    request_id: str = ""
    salt: str = ""
    topology: Topology = Topology()
    secret_user: str = ""
    secret_tls: str = ""
    database: int = 0
    options: RequestOptions = RequestOptions()
    tls_digest: str = ""
    request_digest: str = ""
    statuses: tuple[RelationStatus, ...] = ()
    alias: str = ""
    extra: Mapping[str, Any] = MappingProxyType({})

    @property
    def is_granted(self) -> bool:
        """Whether credentials have been published."""
        return bool(self.secret_user)

    def answers(self, request: AccessRequest) -> bool:
        """Whether credentials have been published for this request as it is now."""
        return (
            self.is_granted
            and self.resource == str(request.prefix)
            and self.request_digest == request.digest
        )
