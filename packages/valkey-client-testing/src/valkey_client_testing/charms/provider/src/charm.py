#!/usr/bin/env python3
"""The counterpart of a requirer under test; it says what it is told to, good or bad."""

import json
import pathlib

import ops

ENDPOINT = "clients"


class ReferenceProviderCharm(ops.CharmBase):
    """Writes its databag and its secrets as a file says. The servers are the kit's."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        framework.observe(self.on[ENDPOINT].relation_created, self._on_write)
        framework.observe(self.on.config_changed, self._on_write)
        framework.observe(self.on.collect_unit_status, self._on_status)

    def _on_write(self, _: ops.EventBase) -> None:
        if not self.config["file"]:
            return
        wanted = json.loads(pathlib.Path(str(self.config["file"])).read_text())
        for relation in self.model.relations[ENDPOINT]:
            uris = {
                name: self._secret(relation, name, content, granted=name not in wanted["withheld"])
                for name, content in wanted["secrets"].items()
            }
            bag = relation.data[self.app]
            said = {key: self._fill(value, uris) for key, value in wanted["app"].items()}
            bag.update({key: "" for key in bag if key not in said} | said)
            self._forget(wanted["known"], uris)

    @staticmethod
    def _fill(value: str, uris: dict[str, str]) -> str:
        for name, uri in uris.items():
            value = value.replace(f"{{{name}}}", uri)
        return value

    def _secret(
        self, relation: ops.Relation, name: str, content: dict[str, str], *, granted: bool
    ) -> str:
        try:
            secret = self.model.get_secret(label=name)
            secret.set_content(content)
        except ops.SecretNotFoundError:
            secret = self.app.add_secret(content, label=name)
        if granted:
            secret.grant(relation)
        return secret.id or secret.get_info().id

    def _forget(self, known: list[str], kept: dict[str, str]) -> None:
        for name in known:
            if name not in kept:
                try:
                    self.model.get_secret(label=name).remove_all_revisions()
                except ops.SecretNotFoundError:
                    continue

    def _on_status(self, event: ops.CollectStatusEvent) -> None:
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    ops.main(ReferenceProviderCharm)
