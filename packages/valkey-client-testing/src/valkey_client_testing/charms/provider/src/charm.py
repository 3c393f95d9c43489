#!/usr/bin/env python3
"""The reference provider, for a requirer under test."""

import json
import pathlib

import ops

ENDPOINT = "clients"


class ReferenceProviderCharm(ops.CharmBase):
    """Writes the databag and the secrets in a file. The servers belong to the kit."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        framework.observe(self.on[ENDPOINT].relation_created, self._on_write)
        framework.observe(self.on.config_changed, self._on_write)
        framework.observe(self.on.collect_unit_status, self._on_status)

    def _on_write(self, _: ops.EventBase) -> None:
        if not self.config["file"]:
            return
        script = json.loads(pathlib.Path(str(self.config["file"])).read_text())
        for relation in self.model.relations[ENDPOINT]:
            uris = {
                name: self._secret(relation, name, content, granted=name not in script["withheld"])
                for name, content in script["secrets"].items()
            }
            databag = relation.data[self.app]
            content = {key: self._insert_uris(value, uris) for key, value in script["app"].items()}
            databag.update({key: "" for key in databag if key not in content} | content)
            self._remove_secrets(script["known"], uris)

    @staticmethod
    def _insert_uris(value: str, uris: dict[str, str]) -> str:
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

    def _remove_secrets(self, known: list[str], kept: dict[str, str]) -> None:
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
