"""The relation with providers of the CAs that sign clients' certificates."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import ops

if TYPE_CHECKING:
    from .client_cas_library import CaCertificatesRequirer

logger = logging.getLogger(__name__)

_DISCOVERY_HOOKS = ("start", "upgrade-charm")
_CA_HOOKS = ("leader-elected", "config-changed", "update-status", *_DISCOVERY_HOOKS)


class ClientCas(ops.Object):
    """Reads the CAs that the Juju operator integrates, for servers to trust clients by.

    As in :mod:`.certificates`, the library is imported only in hooks that may be about it, and the
    unit remembers whether there is a relation.

    Args:
        charm: The charm.
        endpoint: The name of the endpoint.
    """

    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase, endpoint: str):
        super().__init__(charm, f"client-cas-{endpoint}")
        self._endpoint = endpoint
        self._library: CaCertificatesRequirer | None = None
        self._stored.set_default(related=False, problem="")
        hook = os.environ.get("JUJU_DISPATCH_PATH", "").rpartition("/")[2]
        is_relation_hook = os.environ.get("JUJU_RELATION") == endpoint
        if is_relation_hook or hook in _DISCOVERY_HOOKS:
            self._stored.related = self._is_related
        if is_relation_hook or (self._stored.related and hook in _CA_HOOKS):
            from .client_cas_library import CaCertificatesRequirer  # noqa: PLC0415

            self._library = CaCertificatesRequirer(charm, endpoint)

    @property
    def _is_related(self) -> bool:
        return any(relation.active for relation in self.model.relations[self._endpoint])

    @property
    def problem(self) -> str:
        """Why some CA is not trusted, for the status; empty if all are."""
        return str(self._stored.problem)

    def read(self, *, trusted: Sequence[str]) -> tuple[str, ...] | None:
        """Read the CA certificates (PEM).

        Args:
            trusted: Those of this relation that servers trust now.

        Returns:
            Those to trust; None if they stay as they are, because this hook cannot read them.
        """
        if self._library is None:
            if self._stored.related or not (trusted or self.problem) or self._is_related:
                return None
            # The relation ended while another unit led, or in a hook that failed.
            logger.info("%s: no provider is left; trusting none of its CAs", self._endpoint)
            self._stored.problem = ""
            return ()
        if malformed := self._library.malformed_providers():
            # A provider that writes malformed data is no reason to turn clients away.
            self._record_problem(
                f"Malformed CA certificates from {', '.join(malformed)}: the previous ones stay"
                f" trusted; have them corrected, or remove the relation {self._endpoint}"
            )
            return None
        cas, problem = _read_cas(self._library)
        self._record_problem(problem)
        if cas != tuple(sorted(trusted)):
            logger.info("%s: trusted CA certificates: %d", self._endpoint, len(cas))
        return cas

    def _record_problem(self, problem: str) -> None:
        if problem == self.problem:
            return
        logger.info("%s: %s", self._endpoint, problem or "all CA certificates are accepted now")
        self._stored.problem = problem


def _read_cas(library: CaCertificatesRequirer) -> tuple[tuple[str, ...], str]:
    """The CA certificates of all providers, and why some are not trusted."""
    from ..rules.client_certificate import ClientCertificateError, read_cas  # noqa: PLC0415

    cas: set[str] = set()
    problems: set[str] = set()
    for provider, texts in library.certificates_by_provider().items():
        for text in texts:
            try:
                cas.update(read_cas(text))
            except ClientCertificateError as error:
                problems.add(f"CA certificate from {provider} refused: {error}")
    return tuple(sorted(cas)), "; ".join(sorted(problems))
