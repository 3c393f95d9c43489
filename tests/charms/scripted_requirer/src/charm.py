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
        record = {
            "event": event.handle.kind,
            "prefix": event.prefix,
            "fields": sorted(event.fields),
        }
        if event.status:
            record["code"] = event.status.code
        if event.prefix and (access := self.valkey.access_to(event.prefix)):
            record["endpoints"] = format_endpoints(access.endpoints)
            record["username"] = access.username
            record["password"] = access.password
            record["database"] = access.database
            record["options"] = access.options.fields
            record["tls"] = access.tls
            record["tls-ca"] = access.tls_ca
        print("EVENT " + json.dumps(record))

    def _on_status(self, event):
        event.add_status(self.valkey.status)


if __name__ == "__main__":
    ops.main(ScriptedRequirerCharm)
