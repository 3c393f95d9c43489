"""The provider's end of a client certificate; :mod:`._mtls` says how it travels."""

from __future__ import annotations

import contextlib
import logging
from typing import NamedTuple

import ops

from . import _mtls
from ._errors import RequestError
from .messages import AccessRequest, secret_label

logger = logging.getLogger(__name__)

_CONSUMER = "remote-"
"""What Juju's name for the consumer of an offer begins with."""


class ShownCertificate(NamedTuple):
    """The certificate that comes with a request.

    Attributes:
        text: PEM, as far as its look goes; empty if there is none or it cannot be used.
        problem: Why it cannot be used.
        is_missing: Whether it could not be read, so that it is worth to try again later.
    """

    text: str = ""
    problem: str = ""
    is_missing: bool = False


class CertificateReceiver:
    """Reads the certificates that come with requests on an endpoint; for the leader.

    Args:
        model: The model.
        endpoint: The name of the endpoint.
    """

    def __init__(self, model: ops.Model, endpoint: str):
        self._model = model
        self._endpoint = endpoint

    def read(self, request: AccessRequest) -> ShownCertificate:
        """The certificate of a request; never raises on what a requirer did."""
        try:
            text = self._text(request)
        except RequestError as error:
            return ShownCertificate(problem=str(error))
        except ops.ModelError as error:
            logger.warning("relation %d: secret-mtls: %s", request.relation_id, error)
            return ShownCertificate(
                problem="its secret cannot be read; grant it to the relation", is_missing=True
            )
        if text is None:
            return ShownCertificate()
        problem = _mtls.fault(text)
        return ShownCertificate("" if problem else text, problem)

    def _text(self, request: AccessRequest) -> str | None:
        if request.secret_mtls:
            # The end tells a new secret of the same request from the one before.
            end = request.secret_mtls.replace(":", "/").rpartition("/")[2]
            label = secret_label(self._endpoint, request.relation_id, request.request_id, "mtls")
            secret = self._model.get_secret(id=request.secret_mtls, label=f"{label}.{end}")
            return secret.get_content(refresh=True).get(_mtls.CONTENT, "")
        if request.mtls_cert:
            key = self._model.get_secret(label=self._key_label(request.relation_id))
            return _mtls.decrypt(key, request.mtls_cert)
        return None

    def relation_of(self, secret: ops.Secret) -> str:
        """The id of the relation whose request's certificate a secret holds; empty if none."""
        match (secret.label or "").split("."):
            case [endpoint, number, _, "mtls", "secret", _] if endpoint == self._endpoint:
                return number
            case _:
                return ""

    def offer_key(self, relation: ops.Relation, app: ops.Application) -> None:
        """Let a requirer in another model encrypt its certificate; does nothing in this one."""
        # Nobody in this model pays for the question.
        if not app.name.startswith(_CONSUMER) or not _mtls.is_cross_model(self._model, relation):
            return
        label = self._key_label(relation.id)
        try:
            secret = self._model.get_secret(label=label)
        except ops.SecretNotFoundError:
            secret = self._model.app.add_secret(_mtls.new_key(), label=label)
        secret.grant(relation)
        uri = secret.id or secret.get_info().id or ""
        relation.data[self._model.app][_mtls.ENCRYPTION_SECRET] = uri

    def drop_key(self, relation: ops.Relation, app: ops.Application) -> None:
        """Remove the key of a relation that ends, if it has one."""
        if app.name.startswith(_CONSUMER):
            with contextlib.suppress(ops.SecretNotFoundError):
                label = self._key_label(relation.id)
                self._model.get_secret(label=label).remove_all_revisions()

    def _key_label(self, relation_id: int) -> str:
        return _mtls.key_label(self._endpoint, relation_id)
