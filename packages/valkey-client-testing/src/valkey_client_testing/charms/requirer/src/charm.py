#!/usr/bin/env python3
"""The reference requirer, for a provider under test."""

import json
import pathlib
import re

import ops

ENDPOINT = "valkey"


class ReferenceRequirerCharm(ops.CharmBase):
    """Writes the databags in a file, and logs which secrets it can read."""

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
        script = json.loads(pathlib.Path(str(self.config["file"])).read_text())
        for relation in self.model.relations[ENDPOINT]:
            for owner, content in ((self.app, script["app"]), (self.unit, script["unit"])):
                databag = relation.data[owner]
                removed = {k: "" for k in databag if k not in content and not _is_jujus(k)}
                databag.update(removed | content)

    def _on_changed(self, event: ops.RelationChangedEvent) -> None:
        text = " ".join(event.relation.data[event.app].values())
        for uri in sorted(set(re.findall(r"secret:[A-Za-z0-9/_.-]+", text))):
            try:
                self.model.get_secret(id=uri).get_content(refresh=True)
            except ops.ModelError as error:
                print(f"READ {uri} {str(error).splitlines()[0]}")  # noqa: T201
            else:
                print(f"READ {uri} ok")  # noqa: T201

    def _on_status(self, event: ops.CollectStatusEvent) -> None:
        event.add_status(ops.ActiveStatus())


def _is_jujus(key: str) -> bool:
    """Whether Juju itself writes a key of a unit's databag."""
    return key.endswith("address") or key == "egress-subnets"


if __name__ == "__main__":
    ops.main(ReferenceRequirerCharm)
