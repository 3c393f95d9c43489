"""The requirer's end of a client certificate; :mod:`._mtls` says how it travels."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import ops

from . import _mtls
from .databag import as_secret_uri, v1
from .messages import AccessRequest, secret_label

logger = logging.getLogger(__name__)


class CertificateSender:
    """Sends a certificate with each request on an endpoint; for the leader.

    Args:
        model: The model.
        endpoint: The name of the endpoint.
        given: The certificate, or what returns it, and nothing as long as there is none.
    """

    def __init__(self, model: ops.Model, endpoint: str, given: str | Callable[[], str]):
        self._model = model
        self._endpoint = endpoint
        self._given = given

    @property
    def is_given(self) -> bool:
        """Whether the charm has certificates to send, now or later."""
        return bool(self._given)

    def add_to(
        self, relation: ops.Relation, requests: list[AccessRequest], bag: Mapping[str, str]
    ) -> tuple[list[AccessRequest], dict[str, str]]:
        """The requests with what they say of the certificate, and what else it needs beside.

        Args:
            relation: Over which they are asked.
            requests: Without certificates.
            bag: What this side has written before.

        Raises:
            RequestError: If the certificate cannot be sent.
        """
        if not (self._given or _mtls.is_shown(bag)):
            return requests, {}
        given = self._given() if callable(self._given) else self._given
        text = _mtls.check(given) if given else ""
        if text and _mtls.is_cross_model(self._model, relation):
            return self._encrypted(relation, requests, bag, text)
        asked = {request.request_id for request in requests} if text else set[str]()
        self.take_back(
            relation,
            (r.request_id for r in v1.read_requests(bag).requests if r.request_id not in asked),
        )
        if not text:
            return requests, {}
        return [replace(r, secret_mtls=self._share(relation, r, text)) for r in requests], {}

    def _encrypted(
        self,
        relation: ops.Relation,
        requests: list[AccessRequest],
        bag: Mapping[str, str],
        text: str,
    ) -> tuple[list[AccessRequest], dict[str, str]]:
        uri = as_secret_uri(relation.data[relation.app].get(_mtls.ENCRYPTION_SECRET))
        if not uri:
            # The provider's key comes later, if at all; the account need not wait for it.
            return requests, {}
        old = {r.request_id: r.mtls_cert for r in v1.read_requests(bag).requests}
        try:
            key = self._model.get_secret(
                id=uri, label=_mtls.key_label(self._endpoint, relation.id)
            )
            found = [
                replace(r, mtls_cert=_mtls.encrypt(key, text, old.get(r.request_id, "")))
                for r in requests
            ]
        except (_mtls.UnusableKeyError, ops.ModelError) as error:
            logger.warning("relation %d: no certificate is sent: %s", relation.id, error)
            return [replace(r, mtls_cert=old.get(r.request_id, "")) for r in requests], {}
        return found, {_mtls.ENCRYPTION_SECRET: uri}

    def _share(self, relation: ops.Relation, request: AccessRequest, text: str) -> str:
        """Put the certificate into the request's secret, granted; returns its URI."""
        label = secret_label(self._endpoint, relation.id, request.request_id, "mtls")
        content = {_mtls.CONTENT: text}
        try:
            secret = self._model.get_secret(label=label)
            if secret.peek_content() != content:
                secret.set_content(content)
        except ops.SecretNotFoundError:
            secret = self._model.app.add_secret(content, label=label)
        secret.grant(relation)
        if not (secret_id := secret.id or secret.get_info().id):
            raise ops.ModelError(f"Juju gave the secret {label} no id")
        return secret_id

    def has_new_key(self, relation: ops.Relation) -> bool:
        """Whether the provider, in another model, said only now how to send a certificate."""
        theirs = relation.data[relation.app].get(_mtls.ENCRYPTION_SECRET)
        return (
            bool(theirs) and relation.data[self._model.app].get(_mtls.ENCRYPTION_SECRET) != theirs
        )

    def take_back(self, relation: ops.Relation, request_ids: Iterable[str]) -> None:
        """Remove the secrets of requests, as far as there are any."""
        for request_id in request_ids:
            label = secret_label(self._endpoint, relation.id, request_id, "mtls")
            try:
                self._model.get_secret(label=label).remove_all_revisions()
            except ops.SecretNotFoundError:
                continue
