"""Asks for a prefix, and reads its access whenever it hears of it, through the field's library."""

import ops
from dpcharmlibs.interfaces import (
    RequirerCommonModel,
    ResourceProviderModel,
    ResourceRequirerEventHandler,
)


class FieldRequirerCharm(ops.CharmBase):
    """As little as an application's charm can do."""

    def __init__(self, framework):
        super().__init__(framework)
        self.valkey = ResourceRequirerEventHandler(
            self,
            "valkey",
            requests=[RequirerCommonModel(resource="application:*")],
            response_model=ResourceProviderModel,
        )
        framework.observe(self.valkey.on.resource_created, self._on_access)
        framework.observe(self.valkey.on.endpoints_changed, self._on_access)
        framework.observe(self.valkey.on.authentication_updated, self._on_access)

    def _on_access(self, event):
        print("ACCESS", event.response.username)


if __name__ == "__main__":
    ops.main(FieldRequirerCharm)
