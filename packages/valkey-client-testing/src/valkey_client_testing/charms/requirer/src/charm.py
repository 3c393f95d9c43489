#!/usr/bin/env python3
"""The counterpart of a provider under test; it holds no opinion of what it is told."""

import json
import pathlib
import re

import ops

ENDPOINT = "valkey"


class ReferenceRequirerCharm(ops.CharmBase):
    """Writes its databags as a file says, and notes in its log which secrets it can read."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        events = self.on[ENDPOINT]
        framework.observe(events.relation_created, self._on_write)
        framework.observe(self.on.config_changed, self._on_write)
        framework.observe(events.relation_changed, self._on_changed)
        framework.observe(self.on.collect_unit_status, self._on_status)

    def _on_write(self, _: ops.EventBase) -> None:
        if not self.config["file"]:
            return
        wanted = json.loads(pathlib.Path(str(self.config["file"])).read_text())
        for relation in self.model.relations[ENDPOINT]:
            for owner, content in ((self.app, wanted["app"]), (self.unit, wanted["unit"])):
                bag = relation.data[owner]
                ours = {k: "" for k in bag if k not in content and not k.endswith("address")}
                bag.update({k: v for k, v in ours.items() if k != "egress-subnets"} | content)

    def _on_changed(self, event: ops.RelationChangedEvent) -> None:
        said = " ".join(event.relation.data[event.app].values())
        for uri in sorted(set(re.findall(r"secret:[A-Za-z0-9/_.-]+", said))):
            try:
                self.model.get_secret(id=uri).get_content(refresh=True)
            except ops.ModelError as error:
                print(f"READ {uri} {str(error).splitlines()[0]}")  # noqa: T201
            else:
                print(f"READ {uri} ok")  # noqa: T201

    def _on_status(self, event: ops.CollectStatusEvent) -> None:
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    ops.main(ReferenceRequirerCharm)
