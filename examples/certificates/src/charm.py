#!/usr/bin/env python3
"""Signs the certificates of a model with a CA of its own."""

from datetime import timedelta

import ops
from authority import Authority
from charmlibs.interfaces.tls_certificates import (
    Certificate,
    ProviderCertificate,
    RequirerCertificateRequest,
    TLSCertificatesProvidesV4,
)


class CertificatesCharm(ops.CharmBase):
    """Keeps its CA in a secret of the application."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.certificates = TLSCertificatesProvidesV4(self, "certificates")
        framework.observe(self.on["certificates"].relation_changed, self._on_requests)
        framework.observe(self.on.renew_action, self._on_renew)
        framework.observe(self.on.rotate_ca_action, self._on_rotate_ca)
        framework.observe(self.on.collect_unit_status, self._on_collect_status)

    def _on_requests(self, _: ops.EventBase) -> None:
        if self.unit.is_leader():
            self._answer(self.certificates.get_outstanding_certificate_requests())

    def _on_renew(self, event: ops.ActionEvent) -> None:
        requests = self.certificates.get_certificate_requests()
        self._answer(requests)
        event.set_results({"certificates": len(requests)})

    def _on_rotate_ca(self, event: ops.ActionEvent) -> None:
        self._secret().set_content(Authority.new().content())
        self._secret().get_content(refresh=True)
        self._on_renew(event)

    def _answer(self, requests: list[RequirerCertificateRequest]) -> None:
        named = Authority.read(self._secret().get_content(refresh=True))
        fault, life = str(self.config["fault"]), timedelta(seconds=int(self.config["life"]))
        signing = Authority.new() if fault == "wrong-ca" else named
        for request in requests:
            csr = request.certificate_signing_request
            leaf = signing.sign(
                str(csr),
                life,
                client_auth=fault != "no-client-auth",
                other_key=fault == "wrong-key",
            )
            ca = Certificate.from_string(named.certificate)
            certificate = Certificate.from_string(leaf)
            self.certificates.set_relation_certificate(
                ProviderCertificate(request.relation_id, certificate, csr, ca, [certificate, ca])
            )

    def _secret(self) -> ops.Secret:
        try:
            return self.model.get_secret(label="authority")
        except ops.SecretNotFoundError:
            return self.app.add_secret(Authority.new().content(), label="authority")

    def _on_collect_status(self, event: ops.CollectStatusEvent) -> None:
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    ops.main(CertificatesCharm)
