"""The field's library for certificates, made to survive what a provider writes.

It loads every certificate in the databag in its own handlers, and one that cannot be loaded fails
the hook. Nothing that it offers prevents that, so two of its methods are replaced in a subclass:
the public one that its handlers read certificates with, and the one that they read refusals with.
A test holds them to it. Importing this costs what the library does; see :mod:`.relation`.
"""

from __future__ import annotations

import ops
from charmlibs.interfaces import tls_certificates as library

from ..rules import certificate_databag
from ..rules.signatures import UNREADABLE, load


class CertificatesRequirer(library.TLSCertificatesRequiresV4):
    """The library's, which leaves out what cannot be read."""

    def answers(self) -> certificate_databag.IssuedCertificates:
        """What answers the request that stands; nothing while a new one is awaited."""
        asked = {
            request.certificate_signing_request
            for request in self.get_csrs_from_requirer_relation_data()
        }
        read = self._read()
        requests = [
            _request(issued_certificate) for issued_certificate in read.issued_certificates
        ]
        mine = tuple(
            issued_certificate
            for issued_certificate, request in zip(read.issued_certificates, requests, strict=True)
            if request in asked and not issued_certificate.is_revoked
        )
        unknown = "an answer names a request that cannot be read" if None in requests else ""
        return certificate_databag.IssuedCertificates(mine, read.problem or unknown)

    def refusals(self) -> list[str]:
        """Why the provider refuses the request that stands."""
        asked = {
            request.certificate_signing_request
            for request in self.get_csrs_from_requirer_relation_data()
        }
        return [
            str(refusal.error)
            for refusal in self.get_request_errors()
            if refusal.certificate_signing_request in asked
        ]

    def get_provider_certificates(self) -> list[library.ProviderCertificate]:
        """The certificates that can be read."""
        relation = self.model.get_relation(self.relationship_name)
        found: list[library.ProviderCertificate] = []
        for issued_certificate in self._read().issued_certificates:
            request = _request(issued_certificate)
            try:
                leaf, ca, *chain = map(
                    load,
                    (issued_certificate.leaf, issued_certificate.ca, *issued_certificate.chain),
                )
            except UNREADABLE:
                continue
            if request is not None and relation is not None:
                found.append(
                    library.ProviderCertificate(
                        relation_id=relation.id,
                        certificate=library.Certificate(x509_object=leaf),
                        certificate_signing_request=request,
                        ca=library.Certificate(x509_object=ca),
                        chain=[library.Certificate(x509_object=issuer) for issuer in chain],
                        revoked=issued_certificate.is_revoked,
                    )
                )
        return found

    def _read(self) -> certificate_databag.IssuedCertificates:
        relation = self.model.get_relation(self.relationship_name)
        try:
            return certificate_databag.read(
                relation.data[relation.app] if relation and relation.app else {}
            )
        except ops.ModelError:  # The relation is going.
            return certificate_databag.IssuedCertificates(())

    def _load_provider_certificate_errors(self) -> list[library.ProviderCertificateError]:
        try:
            return super()._load_provider_certificate_errors()
        except (ValueError, RecursionError):
            return []


def _request(
    issued_certificate: certificate_databag.IssuedCertificate,
) -> library.CertificateSigningRequest | None:
    try:
        return library.CertificateSigningRequest.from_string(issued_certificate.request)
    except (*UNREADABLE, library.TLSCertificatesError):
        return None
