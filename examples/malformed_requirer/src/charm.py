#!/usr/bin/env python3
"""An application that sends malformed requests."""

import json
import pathlib

import ops

ENDPOINT = "valkey"


class MalformedRequirerCharm(ops.CharmBase):
    """Writes what its configuration says, and shows what the provider responds."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        for event in (self.on[ENDPOINT].relation_created, self.on.config_changed):
            framework.observe(event, self._on_write)
        framework.observe(self.on.collect_unit_status, self._on_collect_status)

    def _on_write(self, _: ops.EventBase) -> None:
        if not self.unit.is_leader():
            return
        for relation in self.model.relations[ENDPOINT]:
            bag = relation.data[self.app]
            databag = self._databag()
            bag.update({key: "" for key in bag if key not in databag} | databag)

    def _databag(self) -> dict[str, str]:
        if path := str(self.config["databag-file"]):
            return json.loads(pathlib.Path(path).read_text())
        if raw := str(self.config["databag"]):
            return json.loads(raw)
        request = {
            "resource": self.config["prefix"],
            "request-id": "1",
            "salt": "0123456789abcdef",
        }
        return {"version": "v1", "requests": json.dumps([request])}

    def _on_collect_status(self, event: ops.CollectStatusEvent) -> None:
        for relation in self.model.relations[ENDPOINT]:
            response = relation.data[relation.app]
            statuses = json.loads(response.get("status", "[]"))
            for status in statuses:
                event.add_status(ops.BlockedStatus(f"{status['code']}: {status['message']}"))
            if "secret-user" in response or "secret-user" in response.get("requests", ""):
                event.add_status(ops.ActiveStatus("access was granted"))
        event.add_status(ops.WaitingStatus("Waiting for a response"))


if __name__ == "__main__":
    ops.main(MalformedRequirerCharm)
