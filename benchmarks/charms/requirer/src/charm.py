"""Asks for a prefix, and reads its access whenever it hears of it, through our library."""

import ops

from valkey_client import AccessEvent, ValkeyRequirer


class RequirerCharm(ops.CharmBase):
    """As little as an application's charm can do."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.valkey = ValkeyRequirer(self, "valkey", prefix="application:*")
        framework.observe(self.valkey.on.ready, self._on_access)
        framework.observe(self.valkey.on.changed, self._on_access)

    def _on_access(self, _: AccessEvent) -> None:
        access = self.valkey.access
        print("ACCESS", access and access.username)


if __name__ == "__main__":
    ops.main(RequirerCharm)
