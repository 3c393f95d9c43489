"""What a provider can tell a requirer: a grant, a refusal, a notice, a withdrawal.

Each record is about requests of one relation. :meth:`.ValkeyProvider.respond` takes any number of
them and writes each databag once. They are named tuples, because to make a dataclass costs ten
times as much in each hook that imports this library.
"""

from __future__ import annotations

from typing import NamedTuple

from .messages import Access, AccessRequest, RelationStatus


class Grant(NamedTuple):
    """Give a requirer what it asked for.

    The account must work on every server and Sentinel before this is sent.

    Attributes:
        request: One of :attr:`.ValkeyProvider.requests`.
        access: The account, what it may do, and the topology. An empty password keeps the
            password that was published before.
        statuses: What to tell the requirer about it, such as that others share its keys.
    """

    request: AccessRequest
    access: Access
    statuses: tuple[RelationStatus, ...] = ()

    @property
    def relation_id(self) -> int:
        """The relation of the request."""
        return self.request.relation_id


class Refusal(NamedTuple):
    """Tell a requirer why a request is not served.

    What was granted for the request, with another prefix for example, is withdrawn.

    Attributes:
        request: One of :attr:`.ValkeyProvider.requests`.
        status: The reason, and what the requirer can do.
    """

    request: AccessRequest
    status: RelationStatus

    @property
    def relation_id(self) -> int:
        """The relation of the request."""
        return self.request.relation_id


class Notice(NamedTuple):
    """Set or remove one status of a request that has a response.

    Attributes:
        relation_id: The relation.
        request_id: The request; empty in v0. A request without a response is left out.
        code: The code of the status.
        status: The status; None removes the one with this code.
    """

    relation_id: int
    request_id: str
    code: int
    status: RelationStatus | None


class Withdrawal(NamedTuple):
    """Remove the responses and secrets of requests.

    It is safe to repeat, and safe for a relation that no longer exists.

    Attributes:
        relation_id: The relation.
        request_ids: The requests, ``("",)`` for that of a v0 relation. Empty for none.
    """

    relation_id: int
    request_ids: tuple[str, ...]


ProviderResponse = Grant | Refusal | Notice | Withdrawal
