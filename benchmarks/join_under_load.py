"""Whether replicas join a primary that holds much and is written to without pause, and how soon.

Two replicas are started beside a primary that holds so many MB and takes so many MB/s. Limits of
the primary that decide it are those of the operator on a machine of this size, and those that it
had before, which are also about Valkey's own.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import valkey
from _table import Table, show

from valkey_client_testing import find_binary
from valkey_operator.rules.resource_limits import resource_limits
from valkey_operator.rules.settings import Settings

ADDRESS = "127.94.0.{}"
VALUE = 10_000
"""Bytes of a value."""

BATCH = 100
"""Values that are written at once: 1 MB."""

BEFORE = "normal 268435456 67108864 60 slave 268435456 67108864 60 pubsub 33554432 8388608 60"
NAMES = ("client-output-buffer-limit", "repl-backlog-size")


@dataclass
class Joined:
    """What was measured with some limits.

    Attributes:
        limits: Whose they are.
        seconds: Until both replicas were in sync; infinite if they were not in time.
        full_syncs: How many the primary had to begin.
        rate: MB/s that were written meanwhile.
        longest_gap: Seconds without an acknowledged write.
    """

    limits: str
    seconds: float
    full_syncs: int
    rate: float
    longest_gap: float


class Writer(threading.Thread):
    """Overwrites the keys of the primary, at a steady rate."""

    def __init__(self, connection: Any, keys: int, rate: float, prefix: str = ""):
        super().__init__(daemon=True)
        self._connection, self._keys, self._rate = connection, keys, rate
        self._prefix = prefix
        self._ending = threading.Event()
        self.written = 0
        self.longest_gap = 0.0
        self._value = b"x" * VALUE

    def run(self) -> None:
        """Write until it is stopped."""
        begin = last = time.monotonic()
        while not self._ending.is_set():
            pipe = self._connection.pipeline(transaction=False)
            for number in range(BATCH):
                key = (self.written * BATCH + number) % self._keys
                pipe.set(f"{self._prefix}{key}", self._value)
            pipe.execute()
            now = time.monotonic()
            self.longest_gap = max(self.longest_gap, now - last)
            last = now
            self.written += 1
            self._ending.wait(max(0.0, begin + self.written / self._rate - now))

    def stop(self) -> None:
        """End it and wait until it has ended."""
        self._ending.set()
        self.join()


@contextmanager
def server(number: int, folder: Path, *options: str) -> Generator[Any]:
    directory = folder / str(number)
    directory.mkdir()
    address = ADDRESS.format(number)
    command = [str(find_binary().path), "--bind", address, "--port", "6379"]
    command += ["--dir", str(directory)]
    common = ["--appendonly", "yes", "--save", "", "--repl-diskless-sync-delay", "0"]
    announced = ["--replica-announce-ip", address, "--bind-source-addr", address]
    process = subprocess.Popen(
        [*command, *common, *announced, "--protected-mode", "no", *options],
        stdout=subprocess.DEVNULL,
    )
    connection = valkey.Valkey(address, 6379)
    try:
        while True:
            try:
                connection.ping()
                break
            except valkey.ConnectionError:
                time.sleep(0.05)
        yield connection
    finally:
        process.kill()
        process.wait()


def measure(
    limits: str, settings: dict[str, str], megabytes: int, rate: float, limit: float
) -> Joined:
    keys = megabytes * 1_000_000 // VALUE
    with tempfile.TemporaryDirectory(prefix="vk-") as name, server(1, Path(name)) as primary:
        folder = Path(name)
        for setting, value in settings.items():
            primary.config_set(setting, value)
        filler = Writer(primary, keys, rate=1e9)
        filler.start()
        while filler.written * BATCH < keys:
            time.sleep(0.05)
        filler.stop()
        writer = Writer(valkey.Valkey(ADDRESS.format(1), 6379), keys, rate)
        writer.start()
        begin = time.monotonic()
        replicaof = ("--replicaof", f"{ADDRESS.format(1)} 6379")
        with server(2, folder, *replicaof) as one, server(3, folder, *replicaof) as other:
            seconds = float("inf")
            while time.monotonic() - begin < limit:
                states = [c.info("replication")["master_link_status"] for c in (one, other)]
                if states == ["up", "up"]:
                    seconds = time.monotonic() - begin
                    break
                time.sleep(0.1)
            took = time.monotonic() - begin
            writer.stop()
            full_syncs = int(primary.info("stats")["sync_full"])
    return Joined(limits, seconds, full_syncs, writer.written / took, writer.longest_gap)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--rate", type=float, default=28, help="MB/s")
    parser.add_argument("--limit", type=float, default=180, help="seconds")
    parser.add_argument("--memory", type=int, default=8, help="GiB of the machine")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ours = resource_limits(Settings(), options.memory * 2**30)
    rows = [
        measure(who, settings, options.megabytes, options.rate, options.limit)
        for who, settings in (
            ("before", {NAMES[0]: BEFORE}),
            ("this operator", {name: ours[name] for name in NAMES}),
        )
    ]
    title = f"{options.megabytes} MB, {options.rate:g} MB/s, Valkey {find_binary().name}"
    columns = ("limits", "joined, s", "full syncs", "written, MB/s", "longest gap, s")
    cells = [
        (r.limits, round(r.seconds, 1), r.full_syncs, round(r.rate, 1), round(r.longest_gap, 2))
        for r in rows
    ]
    show([Table(title, columns, cells)], as_json=options.json)


if __name__ == "__main__":
    main()
