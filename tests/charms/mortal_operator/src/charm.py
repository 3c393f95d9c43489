"""The operator, whose hooks die after so many conversations with servers.

The file that MORTAL names holds the number, the unit, or nothing for any, and a part of the name of
the hook that shall die; it is gone once that has happened.
"""

import json
import os
import signal
from pathlib import Path

import ops
import valkey
import valkey.client

from valkey_operator.charm import ValkeyOperatorCharm

ORDER = Path(os.environ.get("MORTAL", "/nonexistent"))


def count(original):
    """The same, but the process dies after the last one that it is allowed.

    A question that is asked again and again, to wait for something, counts once.
    """

    def counted(self, *arguments, **options):
        commands = [command[0] for command in getattr(self, "command_stack", ())]
        key = repr((self.connection_pool.connection_kwargs["host"], arguments, commands))
        answer = original(self, *arguments, **options)
        LIFE.spend(key)
        return answer

    return counted


class Life:
    """What is left of it."""

    def __init__(self):
        order = json.loads(ORDER.read_text()) if ORDER.exists() else {}
        about = os.environ.get("JUJU_DISPATCH_PATH", "")
        is_meant = order.get("unit") in ("", os.environ.get("JUJU_UNIT_NAME"))
        self.spent_on = set()
        self.left = order["after"] if is_meant and order["hook"] in about else 0

    def spend(self, key):
        if key in self.spent_on:
            return
        self.spent_on.add(key)
        self.left -= 1
        if self.left == 0:
            ORDER.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    LIFE = Life()
    valkey.Valkey.execute_command = count(valkey.Valkey.execute_command)
    valkey.client.Pipeline.execute = count(valkey.client.Pipeline.execute)
    ops.main(ValkeyOperatorCharm)
