"""The field's library for certificates, made to survive what a provider writes.

It loads every certificate in the databag in its own handlers, and one that cannot be loaded fails
the hook. Nothing that it offers prevents that, so two of its methods are replaced in a subclass:
the public one that its handlers read certificates with, and the one that they read refusals with.
A test holds them to it. Importing this costs what the library does; see :mod:`.relation`.
"""

from __future__ import annotations

import ops
from charmlibs.interfaces import tls_certificates as library

from . import offers
from .signatures import UNREADABLE, load


class CertificatesRequirer(library.TLSCertificatesRequiresV4):
    """The library's, which leaves out what cannot be read."""

    def answers(self) -> offers.Offers:
        """What answers the request that stands; nothing while a new one is awaited."""
        asked = {
            request.certificate_signing_request
            for request in self.get_csrs_from_requirer_relation_data()
        }
        read = self._read()
        requests = [_request(offer) for offer in read.offers]
        mine = tuple(
            offer
            for offer, request in zip(read.offers, requests, strict=True)
            if request in asked and not offer.is_revoked
        )
        unknown = "an answer names a request that cannot be read" if None in requests else ""
        return offers.Offers(mine, read.problem or unknown)

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
        for offer in self._read().offers:
            request = _request(offer)
            try:
                leaf, ca, *chain = map(load, (offer.leaf, offer.ca, *offer.chain))
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
                        revoked=offer.is_revoked,
                    )
                )
        return found

    def _read(self) -> offers.Offers:
        relation = self.model.get_relation(self.relationship_name)
        try:
            return offers.read(relation.data[relation.app] if relation and relation.app else {})
        except ops.ModelError:  # The relation is going.
            return offers.Offers(())

    def _load_provider_certificate_errors(self) -> list[library.ProviderCertificateError]:
        try:
            return super()._load_provider_certificate_errors()
        except (ValueError, RecursionError):
            return []


def _request(offer: offers.Offer) -> library.CertificateSigningRequest | None:
    try:
        return library.CertificateSigningRequest.from_string(offer.request)
    except (*UNREADABLE, library.TLSCertificatesError):
        return None
