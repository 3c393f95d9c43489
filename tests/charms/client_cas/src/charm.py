"""Gives certificates to whoever asks, as the interface's providers do."""

import ops


class ClientCasCharm(ops.CharmBase):
    def __init__(self, framework):
        super().__init__(framework)
        framework.observe(self.on.config_changed, self._on_change)
        framework.observe(self.on["certificates"].relation_created, self._on_change)
        framework.observe(self.on.collect_unit_status, self._on_status)

    def _on_change(self, _):
        for relation in self.model.relations["certificates"]:
            data = {"certificates": str(self.config["certificates"]), "version": "1"}
            relation.data[self.app].update(data)

    def _on_status(self, event):
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    ops.main(ClientCasCharm)
