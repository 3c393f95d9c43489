"""The ``certificate_transfer`` library, made to survive malformed data from a provider.

The library takes some malformed databags for empty ones, and raises on others. Import this only
where it is needed; see :mod:`.client_cas`.
"""

from __future__ import annotations

import ops
from charmlibs.interfaces import certificate_transfer as library


class CaCertificatesRequirer(library.CertificateTransferRequires):
    """The library's requirer, which says whose data is malformed."""

    def get_all_certificates(self, relation_id: int | None = None) -> set[str]:
        """The certificates that are well-formed."""
        try:
            return super().get_all_certificates(relation_id)
        except (ValueError, RecursionError):  # Numbers too long, or lists nested too deep.
            return set()

    def certificates_by_provider(self) -> dict[str, set[str]]:
        """The certificates of each application that provides some."""
        certificates: dict[str, set[str]] = {}
        for relation in self._active_relations():
            texts = self.get_all_certificates(relation.id)
            certificates.setdefault(relation.app.name, set()).update(texts)
        return certificates

    def malformed_providers(self) -> list[str]:
        """The applications whose databags are malformed."""
        relations = self._active_relations()
        return sorted(r.app.name for r in relations if not self._is_well_formed(r))

    def _active_relations(self) -> list[ops.Relation]:
        return [r for r in self.model.relations[self.relationship_name] if r.active]

    def _is_well_formed(self, relation: ops.Relation) -> bool:
        try:
            return self.is_ready(relation)
        except (ValueError, RecursionError):
            return False
