"""The relation with those whose CAs sign clients' certificates."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import ops

if TYPE_CHECKING:
    from .client_cas_library import CasRequirer

_TIMES_TO_LOOK = ("start", "upgrade-charm")
_TIMES_TO_READ = ("leader-elected", "config-changed", "update-status", *_TIMES_TO_LOOK)


class ClientCas(ops.Object):
    """Reads the CAs that the operator of the charm wants clients to be trusted by.

    As with certificates of servers, the library is imported in hooks only that may be about it,
    and that there is a relation is remembered.

    Args:
        charm: The charm.
        endpoint: The name of the endpoint.
    """

    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase, endpoint: str):
        super().__init__(charm, f"client-cas-{endpoint}")
        self._endpoint = endpoint
        self._library: CasRequirer | None = None
        self._stored.set_default(related=False, problem="")
        hook = os.environ.get("JUJU_DISPATCH_PATH", "").rpartition("/")[2]
        is_about_it = os.environ.get("JUJU_RELATION") == endpoint
        if is_about_it or hook in _TIMES_TO_LOOK:
            self._stored.related = self._is_related
        if is_about_it or (self._stored.related and hook in _TIMES_TO_READ):
            from .client_cas_library import CasRequirer  # noqa: PLC0415

            self._library = CasRequirer(charm, endpoint)

    @property
    def _is_related(self) -> bool:
        return any(relation.active for relation in self.model.relations[self._endpoint])

    @property
    def problem(self) -> str:
        """Why something of it is not trusted, for the status; empty if all is."""
        return str(self._stored.problem)

    def read(self, *, are_trusted: bool) -> tuple[str, ...] | None:
        """The CA certificates; None for those of before, where there is nothing to be read.

        Args:
            are_trusted: Whether some of this relation are trusted now.
        """
        if self._library is None:
            if self._stored.related or not (are_trusted or self.problem) or self._is_related:
                return None
            # Another unit led when the relation ended, or a hook did not come that far.
            self._stored.problem = ""
            return ()
        if unreadable := self._library.unreadable():
            # One that is broken is no reason to turn clients away.
            self._stored.problem = (
                f"relation {self._endpoint}: what {', '.join(unreadable)} wrote cannot be read and"
                " the CAs of before stay trusted; correct it, or remove the relation"
            )
            return None
        from ..rules.client_certificate import ClientCertificateError, authorities  # noqa: PLC0415

        found: set[str] = set()
        problems: set[str] = set()
        for text in sorted(self._library.get_all_certificates()):
            try:
                found.update(authorities(text))
            except ClientCertificateError as error:
                problems.add(str(error))
        self._stored.problem = (
            f"relation {self._endpoint}: {'; '.join(sorted(problems))}" if problems else ""
        )
        return tuple(sorted(found))
