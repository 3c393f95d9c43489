"""The two secrets that a provider has for each request."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import ops

from .messages import Response, secret_label

logger = logging.getLogger(__name__)


class RequestSecrets:
    """The secrets ``user`` and ``tls`` of each request on one endpoint; for the leader.

    Args:
        model: The model.
        endpoint: The name of the endpoint; the secrets' labels begin with it.
    """

    def __init__(self, model: ops.Model, endpoint: str):
        self._model = model
        self._endpoint = endpoint
        self._removed: set[str] = set()  # URIs

    def ensure(
        self,
        relation: ops.Relation,
        request_id: str,
        group: str,
        old: Response,
        content: dict[str, str],
    ) -> str:
        """Create or change a secret of a request, and grant it; returns its URI."""
        uri = old.secret_user if group == "user" else old.secret_tls
        label = secret_label(self._endpoint, relation.id, request_id, group)
        for secret in self._find(uri, label):
            secret.set_content(content)
            secret.grant(relation)
            return secret.id or uri
        try:
            secret = self._model.app.add_secret(content, label=label)
        except ops.ModelError:
            # Juju has the label, but the databag does not have the URI: another library made the
            # secret, or the databag was emptied.
            secret = self._model.get_secret(label=label)
            secret.set_content(content)
        secret.grant(relation)
        if not (secret_id := secret.id or secret.get_info().id):
            raise ops.ModelError(f"Juju gave the secret {label} no id")
        return secret_id

    def _find(self, uri: str, label: str) -> Iterator[ops.Secret]:
        """The secret, if it exists. For a new request Juju is not asked."""
        if uri:
            try:
                yield self._model.get_secret(id=uri, label=label)
            except ops.SecretNotFoundError:
                logger.warning("secret %s does not exist any more; creating it again", label)

    def remove(self, relation_id: int, response: Response) -> None:
        """Remove both secrets of a request, if they exist and this hook has not removed them."""
        for group, uri in (("user", response.secret_user), ("tls", response.secret_tls)):
            if uri in self._removed:
                continue
            try:
                if uri:
                    secret = self._model.get_secret(id=uri)
                else:
                    label = secret_label(self._endpoint, relation_id, response.request_id, group)
                    secret = self._model.get_secret(label=label)
            except ops.SecretNotFoundError:
                continue
            secret.remove_all_revisions()
            if uri:
                self._removed.add(uri)
