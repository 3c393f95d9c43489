#!/usr/bin/env python3
"""An application that asks for what nobody should be given."""

import json
import pathlib

import ops

ENDPOINT = "valkey"


class UnrulyCharm(ops.CharmBase):
    """Writes what its configuration says, and shows what the provider answers."""

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
            wanted = self._databag()
            bag.update({key: "" for key in bag if key not in wanted} | wanted)

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
            said = relation.data[relation.app]
            statuses = json.loads(said.get("status", "[]"))
            for status in statuses:
                event.add_status(ops.BlockedStatus(f"{status['code']}: {status['message']}"))
            if "secret-user" in said or "secret-user" in said.get("requests", ""):
                event.add_status(ops.ActiveStatus("it was granted"))
        event.add_status(ops.WaitingStatus("nothing was answered"))


if __name__ == "__main__":
    ops.main(UnrulyCharm)
