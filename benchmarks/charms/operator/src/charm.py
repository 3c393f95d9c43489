"""The operator, which says at its end how much memory it took."""

import atexit
from pathlib import Path

import ops

from valkey_operator.charm import ValkeyOperatorCharm


def say_peak() -> None:
    """The peak of this process alone; getrusage() would count the one that it was forked from."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            print("PEAK", line.split()[1], "KiB")


if __name__ == "__main__":
    atexit.register(say_peak)
    ops.main(ValkeyOperatorCharm)
