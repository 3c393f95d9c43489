"""The requirer's side of a client certificate; see :mod:`._mtls`."""

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
        certificate: The certificate, or a callable that returns it, or nothing while there is
            none.
    """

    def __init__(self, model: ops.Model, endpoint: str, certificate: str | Callable[[], str]):
        self._model = model
        self._endpoint = endpoint
        self._certificate = certificate

    @property
    def has_source(self) -> bool:
        """Whether the charm has certificates to send, now or later."""
        return bool(self._certificate)

    def add_to(
        self, relation: ops.Relation, requests: list[AccessRequest], bag: Mapping[str, str]
    ) -> tuple[list[AccessRequest], dict[str, str]]:
        """The requests with the certificate, and further fields of the databag.

        Args:
            relation: The relation of the requests.
            requests: The requests without the certificate.
            bag: What this side has written before.

        Raises:
            RequestError: If the certificate cannot be sent.
        """
        if not (self._certificate or _mtls.has_certificate(bag)):
            return requests, {}
        source = self._certificate
        certificate = source() if callable(source) else source
        text = _mtls.check(certificate) if certificate else ""
        if text and _mtls.is_cross_model(self._model, relation):
            return self._encrypted(relation, requests, bag, text)
        kept = {request.request_id for request in requests} if text else set[str]()
        sent = (request.request_id for request in v1.read_requests(bag).requests)
        self.remove(relation, (request_id for request_id in sent if request_id not in kept))
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
            # The provider's key may come later; the account does not wait for it.
            return requests, {}
        old = {r.request_id: r.mtls_cert for r in v1.read_requests(bag).requests}
        try:
            key = self._model.get_secret(
                id=uri, label=_mtls.key_label(self._endpoint, relation.id)
            )
            encrypted = [
                replace(r, mtls_cert=_mtls.encrypt(key, text, old.get(r.request_id, "")))
                for r in requests
            ]
        except (_mtls.UnusableKeyError, ops.ModelError) as error:
            logger.warning(
                "%s (relation %d): cannot send the client certificate: %s",
                relation.app.name,
                relation.id,
                error,
            )
            return [replace(r, mtls_cert=old.get(r.request_id, "")) for r in requests], {}
        return encrypted, {_mtls.ENCRYPTION_SECRET: uri}

    def _share(self, relation: ops.Relation, request: AccessRequest, text: str) -> str:
        """Put the certificate into the request's secret and grant it; returns its URI."""
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
        """Whether the provider, in another model, has published a key that is not used yet."""
        key = relation.data[relation.app].get(_mtls.ENCRYPTION_SECRET)
        return bool(key) and relation.data[self._model.app].get(_mtls.ENCRYPTION_SECRET) != key

    def remove(self, relation: ops.Relation, request_ids: Iterable[str]) -> None:
        """Remove the secrets of requests, if they have any."""
        for request_id in request_ids:
            label = secret_label(self._endpoint, relation.id, request_id, "mtls")
            try:
                self._model.get_secret(label=label).remove_all_revisions()
            except ops.SecretNotFoundError:
                continue
