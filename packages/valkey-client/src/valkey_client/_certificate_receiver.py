"""The provider's side of a client certificate; see :mod:`._mtls`."""

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
"""What Juju's names for consumers of an offer begin with."""


class RequestCertificate(NamedTuple):
    """The certificate of a request's clients, or its CA.

    Attributes:
        text: It looks like PEM, nothing more is checked; empty if there is none or it cannot be
            used.
        problem: Why it cannot be used; empty if it can, or if there is none.
        is_missing: Whether it could not be read, so that a later attempt may succeed.
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

    def read(self, request: AccessRequest) -> RequestCertificate:
        """The certificate of a request; never raises on what a requirer did."""
        try:
            text = self._text(request)
        except RequestError as error:
            return RequestCertificate(problem=str(error))
        except ops.ModelError as error:
            logger.warning("relation %d: cannot read secret-mtls: %s", request.relation_id, error)
            return RequestCertificate(
                problem="its secret cannot be read; grant it to the relation", is_missing=True
            )
        if text is None:
            return RequestCertificate()
        problem = _mtls.problem_of(text)
        return RequestCertificate("" if problem else text, problem)

    def _text(self, request: AccessRequest) -> str | None:
        if request.secret_mtls:
            # The end of the URI: a later secret of the same request needs another label.
            end = request.secret_mtls.replace(":", "/").rpartition("/")[2]
            label = secret_label(self._endpoint, request.relation_id, request.request_id, "mtls")
            secret = self._model.get_secret(id=request.secret_mtls, label=f"{label}.{end}")
            return secret.get_content(refresh=True).get(_mtls.CONTENT, "")
        if request.mtls_cert:
            key = self._model.get_secret(label=self._key_label(request.relation_id))
            return _mtls.decrypt(key, request.mtls_cert)
        return None

    def relation_of(self, secret: ops.Secret) -> str:
        """The id of the relation of a secret with a certificate; empty for another secret."""
        match (secret.label or "").split("."):
            case [endpoint, number, _, "mtls", "secret", _] if endpoint == self._endpoint:
                return number
            case _:
                return ""

    def offer_key(self, relation: ops.Relation, app: ops.Application) -> None:
        """Share a key with a requirer in another model; does nothing for one in this model."""
        # The name first: is_cross_model costs a hook command.
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
