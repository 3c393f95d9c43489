"""The ``tls_certificates`` library, made to survive malformed data from a provider.

The library loads every certificate in the databag in its own handlers, and a malformed one fails
the hook. It has no option that prevents that, so a subclass replaces two of its methods: the
public one by which its handlers read certificates, and the one by which they read errors. A test
checks that the library still calls them. Import this only where it is needed; see
:mod:`.certificates`.
"""

from __future__ import annotations

import ops
from charmlibs.interfaces import tls_certificates as library

from ..rules import certificate_databag
from ..rules.signatures import MALFORMED, load


class CertificatesRequirer(library.TLSCertificatesRequiresV4):
    """The library's requirer, which leaves out what is malformed."""

    def current_certificates(self) -> certificate_databag.ProviderCertificates:
        """The certificates for this unit's current request; none while a new one is awaited."""
        current = self._current_requests()
        answer = self._read()
        requests = [_signing_request(certificate) for certificate in answer.certificates]
        certificates = tuple(
            certificate
            for certificate, request in zip(answer.certificates, requests, strict=True)
            if request in current and not certificate.is_revoked
        )
        problem = answer.problem
        if not problem and None in requests:
            problem = "malformed certificate signing request"
        return certificate_databag.ProviderCertificates(certificates, problem)

    def current_request_errors(self) -> list[str]:
        """Why the provider denied this unit's current request."""
        current = self._current_requests()
        return [
            str(request_error.error)
            for request_error in self.get_request_errors()
            if request_error.certificate_signing_request in current
        ]

    def get_provider_certificates(self) -> list[library.ProviderCertificate]:
        """The certificates that are well-formed."""
        relation = self.model.get_relation(self.relationship_name)
        certificates: list[library.ProviderCertificate] = []
        for entry in self._read().certificates:
            request = _signing_request(entry)
            try:
                leaf, ca, *chain = map(load, (entry.leaf, entry.ca, *entry.chain))
            except MALFORMED:
                continue
            if request is not None and relation is not None:
                certificates.append(
                    library.ProviderCertificate(
                        relation_id=relation.id,
                        certificate=library.Certificate(x509_object=leaf),
                        certificate_signing_request=request,
                        ca=library.Certificate(x509_object=ca),
                        chain=[library.Certificate(x509_object=issuer) for issuer in chain],
                        revoked=entry.is_revoked,
                    )
                )
        return certificates

    def _current_requests(self) -> set[library.CertificateSigningRequest]:
        return {
            request.certificate_signing_request
            for request in self.get_csrs_from_requirer_relation_data()
        }

    def _read(self) -> certificate_databag.ProviderCertificates:
        relation = self.model.get_relation(self.relationship_name)
        try:
            return certificate_databag.read(
                relation.data[relation.app] if relation and relation.app else {}
            )
        except ops.ModelError:  # The relation is being removed.
            return certificate_databag.ProviderCertificates(())

    def _load_provider_certificate_errors(self) -> list[library.ProviderCertificateError]:
        try:
            return super()._load_provider_certificate_errors()
        except (ValueError, RecursionError):
            return []


def _signing_request(
    certificate: certificate_databag.ProviderCertificate,
) -> library.CertificateSigningRequest | None:
    try:
        return library.CertificateSigningRequest.from_string(certificate.signing_request)
    except (*MALFORMED, library.TLSCertificatesError):
        return None
