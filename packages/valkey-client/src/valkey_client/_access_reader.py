"""Reads what providers granted, from databags and secrets."""

from __future__ import annotations

import logging

import ops

from ._memory import Memory
from .databag import Responses, read_access, read_responses
from .messages import Access, AccessRequest, Response, format_endpoints, secret_label

logger = logging.getLogger(__name__)


class AccessReader:
    """Reads each secret at most once in a hook.

    Args:
        model: The model.
        endpoint: The name of the endpoint.
        memory: Keeps the content of ``secret-tls``, which is public, from hook to hook.
    """

    def __init__(self, model: ops.Model, endpoint: str, memory: Memory):
        self._model = model
        self._endpoint = endpoint
        self._memory = memory
        self._contents: dict[str, dict[str, str]] = {}  # of secrets read in this hook, by label

    def responses_of(self, relation: ops.Relation) -> Responses:
        """What one provider published. Reads one databag."""
        try:
            return read_responses(relation.data[relation.app])
        except (ops.ModelError, KeyError):
            return Responses("v0", is_complete=False)

    def response_to(self, relation: ops.Relation, request: AccessRequest) -> Response | None:
        """What one provider published for a request."""
        responses = self.responses_of(relation).responses
        return {r.request_id: r for r in responses}.get(request.request_id)

    def read(
        self, relation: ops.Relation, request: AccessRequest, response: Response
    ) -> Access | None:
        """The access; None if it cannot be used, or a secret cannot be read."""
        if not is_usable(response):
            return None
        user = self._secret(relation, response, "user")
        tls = self._certificate(relation, request, response) if response.secret_tls else {}
        return read_access(str(request.prefix), response, user, tls)

    def read_newest(self, secret: ops.Secret) -> bool:
        """Take the newest revision of a secret; says whether it could be read."""
        try:
            self._contents = {secret.label or "": secret.get_content(refresh=True)}
        except ops.ModelError as error:
            # It was removed in the meantime; the relation will say so.
            logger.warning("cannot read secret %s any more: %s", secret.label, error)
            return False
        return True

    def clear(self) -> None:
        """Read secrets again when they are needed again."""
        self._contents.clear()

    def _secret(self, relation: ops.Relation, response: Response, group: str) -> dict[str, str]:
        uri = response.secret_user if group == "user" else response.secret_tls
        label = secret_label(self._endpoint, relation.id, response.request_id, group)
        if label not in self._contents:
            try:
                self._contents[label] = self._model.get_secret(id=uri, label=label).get_content()
            except ops.ModelError as error:
                logger.warning(
                    "%s (relation %d): cannot read secret %s yet: %s",
                    relation.app.name,
                    relation.id,
                    label,
                    error,
                )
                return {}
        return self._contents[label]

    def _certificate(
        self, relation: ops.Relation, request: AccessRequest, response: Response
    ) -> dict[str, str]:
        """Content of ``secret-tls``.

        Juju gives this unit the same revision until the unit asks for a newer one, which
        :meth:`read_newest` does after the key was removed from the memory.
        """
        key = memory_key(relation, str(request.prefix))
        content = self._memory.certificates.get(key)
        if content is None or content.pop("uri") != response.secret_tls:
            content = self._secret(relation, response, "tls")
            if content:
                self._memory.certificates.set(key, {**content, "uri": response.secret_tls})
        return content


def memory_key(relation: ops.Relation, prefix: str) -> str:
    """The key under which a unit remembers the access to a prefix."""
    return f"{relation.id}/{prefix}"


def is_usable(response: Response | None) -> bool:
    """Whether a response names an account and a server."""
    return response is not None and response.is_granted and bool(response.topology.endpoints)


def event_fields(response: Response | None) -> dict[str, str] | None:
    """What of a response makes an event when it changes; None if it cannot be used."""
    if response is None or not is_usable(response):
        return None
    topology = response.topology
    return {
        # Of the account: its name goes with the request.
        "username": response.request_id,
        "endpoints": format_endpoints(topology.endpoints),
        "read-only-endpoints": format_endpoints(topology.read_only_endpoints),
        "sentinel-endpoints": format_endpoints(topology.sentinel_endpoints),
        "version": topology.version,
        "mode": topology.mode,
        "primary-name": topology.primary_name,
        "database": str(response.database),
        **{name: str(value) for name, value in response.options.fields.items()},
        "password": response.secret_user,
        "tls": response.secret_tls,
    }
