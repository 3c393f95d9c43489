"""Builds the requests of an application and writes them into its databags."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import ops

from ._certificate_sender import CertificateSender
from ._prefix import KeyPrefix
from .databag import v0, v1
from .messages import AccessRequest, Wire, request_id, request_salt
from .options import RequestOptions

logger = logging.getLogger(__name__)


class RequestWriter:
    """Writes the requests for some prefixes; for the leader.

    Args:
        model: The model.
        endpoint: The name of the endpoint.
        options: What to ask for, by prefix.
        wire: In which format.
        certificates: Adds the certificate of the application's clients.
    """

    def __init__(
        self,
        model: ops.Model,
        endpoint: str,
        options: Mapping[KeyPrefix, RequestOptions],
        wire: Wire,
        certificates: CertificateSender,
    ):
        self._model = model
        self._endpoint = endpoint
        self._options = options
        self._wire: Wire = wire
        self._certificates = certificates

    def requests(self, relation: ops.Relation) -> list[AccessRequest]:
        """The requests for all prefixes."""
        return [self.request(relation, str(prefix)) for prefix in self._options]

    def request(self, relation: ops.Relation, prefix: str) -> AccessRequest:
        """The request for one prefix: the same whoever leads, so that it is sent once."""
        parsed = KeyPrefix.parse(prefix)
        if self._wire == "v0":
            return AccessRequest(parsed, wire="v0")
        salt = request_salt(
            self._model.uuid, self._model.app.name, self._endpoint, relation.id, prefix
        )
        return AccessRequest(
            parsed,
            request_id=request_id(prefix, salt),
            salt=salt,
            options=self._options.get(parsed, RequestOptions()),
        )

    def write(self, relation: ops.Relation) -> None:
        """Write the requests, unless they are in the databag already.

        Raises:
            RequestError: If the certificate cannot be sent.
        """
        requests = self.requests(relation)
        bag = relation.data[self._model.app]
        self._warn_of_another_wire(relation, bag)
        if self._wire == "v1":
            requests, certificate_fields = self._certificates.add_to(relation, requests, bag)
            content = v1.write_requests(requests) | certificate_fields
            stale = v0.REQUIRER_KEYS - v1.REQUIRER_KEYS
        else:
            content = v0.write_requests(requests[0])
            stale = v1.REQUIRER_KEYS - v0.REQUIRER_KEYS
        changes = {key: value for key, value in content.items() if bag.get(key) != value}
        changes.update({key: "" for key in stale if key in bag})
        if changes:
            bag.update(changes)
            if self._wire == "v0":
                secrets = content["requested-secrets"]
                relation.data[self._model.unit].update({"requested-secrets": secrets})

    def _warn_of_another_wire(self, relation: ops.Relation, bag: Mapping[str, str]) -> None:
        """Say what to do if the format has changed since: providers in the field fail then."""
        if not bag.get("database") and not bag.get("requests"):
            return
        before: Wire = "v1" if bag.get("requests") else "v0"
        if before != self._wire:
            logger.warning(
                "%s (relation %d): the request was sent as %s and is sent as %s now. If %s does"
                " not answer, remove the relation and integrate again",
                relation.app.name,
                relation.id,
                before,
                self._wire,
                relation.app.name,
            )
