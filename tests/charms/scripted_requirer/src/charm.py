"""Logs each event of our requirer, with the access at that moment."""

import json

import ops

from valkey_client import ValkeyRequirer
from valkey_client.messages import format_endpoints


class ScriptedRequirerCharm(ops.CharmBase):
    def __init__(self, framework):
        super().__init__(framework)
        prefixes = str(self.config["prefix"]).split(",")
        options = json.loads(str(self.config["options"]))
        wire = str(self.config["wire"])
        if certificate := str(self.config["client-certificate"]):
            options["client_certificate"] = certificate
        self.valkey = ValkeyRequirer(self, "valkey", prefixes, wire=wire, **options)
        on = self.valkey.on
        for source in (on.ready, on.changed, on.gone, on.rejected):
            framework.observe(source, self._on_event)
        framework.observe(self.on.collect_unit_status, self._on_status)

    def _on_event(self, event):
        told = {"event": event.handle.kind, "prefix": event.prefix, "fields": sorted(event.fields)}
        if event.status:
            told["code"] = event.status.code
        if event.prefix and (access := self.valkey.access_to(event.prefix)):
            told["endpoints"] = format_endpoints(access.endpoints)
            told["username"] = access.username
            told["password"] = access.password
            told["database"] = access.database
            told["options"] = access.options.fields
            told["tls"] = access.tls
            told["tls-ca"] = access.tls_ca
        print("TOLD " + json.dumps(told))

    def _on_status(self, event):
        event.add_status(self.valkey.status)


if __name__ == "__main__":
    ops.main(ScriptedRequirerCharm)
