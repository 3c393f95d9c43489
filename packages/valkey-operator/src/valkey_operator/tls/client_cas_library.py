"""The field's library for CA certificates, made to survive what a provider writes.

It takes a databag that it cannot read for an empty one, and some it does not survive. Importing
this costs what the library does; see :mod:`.client_cas`.
"""

from __future__ import annotations

import ops
from charmlibs.interfaces import certificate_transfer as library


class CasRequirer(library.CertificateTransferRequires):
    """The library's, which tells what it cannot read."""

    def get_all_certificates(self, relation_id: int | None = None) -> set[str]:
        """The certificates that can be read."""
        try:
            return super().get_all_certificates(relation_id)
        except (ValueError, RecursionError):  # Numbers without end, lists in lists without end.
            return set()

    def unreadable(self) -> list[str]:
        """The applications whose databags cannot be read."""
        relations = self.model.relations[self.relationship_name]
        return sorted(r.app.name for r in relations if r.active and not self._is_readable(r))

    def _is_readable(self, relation: ops.Relation) -> bool:
        try:
            return self.is_ready(relation)
        except (ValueError, RecursionError):
            return False
