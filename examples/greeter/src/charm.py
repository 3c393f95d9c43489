#!/usr/bin/env python3
"""An application that keeps its greetings in Valkey."""

import ops
import valkey

import valkey_client
from valkey_client import client


class GreeterCharm(ops.CharmBase):
    """Counts greetings under ``application:*``."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.valkey = valkey_client.ValkeyRequirer(self, "valkey", prefix="application:*")
        framework.observe(self.on.greet_action, self._on_greet)
        framework.observe(self.on.use_action, self._on_use)
        framework.observe(self.on.collect_unit_status, self._on_collect_status)

    def _on_greet(self, event: ops.ActionEvent) -> None:
        if not (access := self.valkey.access):
            event.fail("no access to Valkey yet; see the status of this unit")
            return
        with client.connect(access, decode_responses=True) as connection:
            count = connection.incr(f"application:greeted:{event.params['name']}")
        event.set_results({"greeted": event.params["name"], "times": count})

    def _on_use(self, event: ops.ActionEvent) -> None:
        if not (access := self.valkey.access):
            event.fail("no access to Valkey yet; see the status of this unit")
            return
        with client.connect(access, decode_responses=True) as connection:
            try:
                answer = connection.execute_command(*event.params["command"].split())
            except valkey.ResponseError as error:
                event.set_results({"refused": str(error)})
            else:
                event.set_results({"answer": str(answer)})

    def _on_collect_status(self, event: ops.CollectStatusEvent) -> None:
        event.add_status(self.valkey.status)


if __name__ == "__main__":
    ops.main(GreeterCharm)
