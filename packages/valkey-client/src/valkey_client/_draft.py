"""The next content of a provider's databag, to be written in one call."""

from __future__ import annotations

import ops

from . import statuses
from .databag import Requests, Responses, write_responses
from .messages import Response


class Draft:
    """The responses of one relation until they are written.

    Args:
        relation: The relation.
        requests: What the requirer asks for. None if it was not read: then every response stays,
            and so do the format and the statuses.
        published: What the databag contains now.

    Attributes:
        responses: What it will contain, by request id.
    """

    def __init__(self, relation: ops.Relation, requests: Requests | None, published: Responses):
        self.relation = relation
        self._requests = requests
        self._published = published
        dropped = set[str]()
        if requests is not None:
            dropped = {response.request_id for response in released(requests, published)}
        self.responses = {
            response.request_id: response
            for response in published.responses
            if response.request_id not in dropped
        }

    def write(self, app: ops.Application) -> bool:
        """Bring the databag of this application up to date; says whether anything was written."""
        bag = self.relation.data[app]
        responses = self._content()
        if not bag and not responses.responses and not responses.statuses:
            return False
        changes = write_responses(responses.wire, responses, dict(bag))
        bag.update(changes)
        return bool(changes)

    def _content(self) -> Responses:
        before, requests = self._published, self._requests
        wire, relation_statuses = before.wire, before.statuses
        if requests is not None:
            # For a requirer whose databag is malformed the format stays: in another one it would
            # find nothing.
            if requests.is_complete or requests.requests or not before.responses:
                wire = requests.wire
            of_responses = [s for response in self.responses.values() for s in response.statuses]
            relation_statuses = tuple(statuses.merge([*requests.problems, *of_responses]))
        return Responses(
            wire,
            tuple(self.responses.values()),
            relation_statuses,
            notes=before.notes if wire == before.wire else {},
        )


def released(requests: Requests, published: Responses) -> list[Response]:
    """Responses to requests that are gone; none while the requirer's databag is damaged.

    A requirer that was upgraded from one format to the other sends its requests again.
    """
    if not requests.is_complete:
        return []
    wanted = (
        {request.request_id for request in requests.requests}
        if published.wire == requests.wire
        else set[str]()
    )
    return [response for response in published.responses if response.request_id not in wanted]


def has_open(requests: Requests, published: Responses) -> bool:
    """Whether some request has no response, or one to an earlier version of the request."""
    if published.wire != requests.wire:
        return bool(requests.requests)
    responses = {response.request_id: response for response in published.responses}
    return any(
        not (response := responses.get(request.request_id)) or not response.answers(request)
        for request in requests.requests
    )
