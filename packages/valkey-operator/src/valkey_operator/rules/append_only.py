"""What a server's data directory holds, judged from its files.

A server whose manifest is gone starts with nothing and says so nowhere, although its other files
still lie there (Valkey 7.2 to 9.1). One that lists a file that is missing does not start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any, cast

DIRECTORY = "appendonlydir"
MANIFEST = "appendonly.aof.manifest"

_FILE = re.compile(r"appendonly\.aof\.\d+\.(base\.(rdb|aof)|incr\.aof)\Z")
_LINE = re.compile(r'file\s+"?(?P<name>[^\s"]+)"?\s+seq\s+(?P<seq>\d+)\s+type\s+(?P<type>[bih])')
_TIMESTAMP = re.compile(rb"#TS:(\d{9,11})\r\n")

_BASE, _HISTORY = "b", "h"

_DAMAGE = re.compile(
    r"Bad file format reading the append only file|Unable to obtain the AOF file"
    r"|AOF manifest|manifest file, at line|Short read or OOM loading DB|in RDB reading offset"
    r"|Check RDB returned error|Checking RDB file|RDB CRC error|Wrong signature"
    r"|Unexpected end of file reading the append only file"
)
"""What servers write when they end because of their data (seen on 8.0.1 and 9.1.2)."""


class Condition(Enum):
    """What can be told of data without loading them."""

    EMPTY = "empty"
    PRESENT = "present"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class DataRecord:
    """What the charm keeps beside the append-only file: how new the data are.

    Attributes:
        epoch: The configuration epoch of the primary that they come from.
        replication_id: Of the replication stream that they belong to; empty if unknown.
        offset: The position in that stream; comparable within one id only.
        time: When this was written, in seconds since 1970.
        others: The addresses of the other units that had a server then.
        is_final: Whether the server had stopped, so that nothing was written after this.
        unit: The unit whose server wrote the data.
        address: The address of that unit then.
        sizes: The size of each file of the append-only directory then: they only grow.
    """

    epoch: int = 0
    replication_id: str = ""
    offset: int = 0
    time: float = 0.0
    others: tuple[str, ...] = ()
    is_final: bool = False
    unit: str = ""
    address: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict[str, int], hash=False)

    @classmethod
    def read(cls, text: str | None) -> DataRecord | None:
        """From its file; None if there is none that can be read."""
        try:
            value: Any = json.loads(text or "")
            entries = cast("dict[str, Any]", dict(value))
            sizes = cast("dict[str, Any]", dict(entries.get("sizes", {})))
            return cls(
                epoch=int(entries["epoch"]),
                replication_id=str(entries["replication_id"]),
                offset=int(entries["offset"]),
                time=float(entries["time"]),
                others=tuple(map(str, entries["others"])),
                is_final=entries["is_final"] is True,
                unit=str(entries["unit"]),
                address=str(entries["address"]),
                sizes={str(name): int(size) for name, size in sizes.items()},
            )
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None

    def text(self) -> str:
        """For its file."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class DataFiles:
    """What lies in a data directory.

    Attributes:
        sizes: The size of each file of the append-only directory, in bytes, by name.
        manifest: The manifest as text; None if there is none.
        tail: The end of the last incremental file.
        record: The charm's record beside it, as text; None if there is none.
        log: What the server wrote since it started last, if none of these files has changed since
            it ended: a person may have repaired them.
    """

    sizes: Mapping[str, int]
    manifest: str | None = None
    tail: bytes = b""
    record: str | None = None
    log: str = ""


@dataclass(frozen=True)
class Data:
    """The data of a unit.

    Attributes:
        condition: What can be told of them.
        problem: The file that is damaged and what is wrong with it; empty if nothing is known.
        record: How new they are; None if unknown.
        last_write: When the last write was logged, in seconds since 1970; 0 if unknown.
    """

    condition: Condition = Condition.EMPTY
    problem: str = ""
    record: DataRecord | None = None
    last_write: int = 0

    @property
    def time(self) -> float:
        """When they were current at the least, in seconds since 1970; 0 if unknown."""
        return max(self.last_write, self.record.time if self.record else 0.0)


def judge(files: DataFiles) -> Data:
    """What a data directory holds."""
    record = DataRecord.read(files.record)
    data_files = sorted(name for name in files.sizes if _FILE.match(name))
    if files.manifest is None:
        if not data_files:
            return Data(Condition.EMPTY, record=record)
        problem = f"{DIRECTORY}/{MANIFEST} is missing, but {data_files[0]} is there"
        return Data(Condition.DAMAGED, problem, record)
    if problem := _manifest_problem(files, record) or damage_in(files.log):
        return Data(Condition.DAMAGED, problem, record)
    times = _TIMESTAMP.findall(files.tail)
    return Data(Condition.PRESENT, "", record, int(times[-1]) if times else 0)


def _manifest_problem(files: DataFiles, record: DataRecord | None) -> str:
    """What is wrong with the manifest, or with a file that it lists; empty if nothing is."""
    path = f"{DIRECTORY}/{MANIFEST}"
    lines = [line for line in (files.manifest or "").splitlines() if line.strip()]
    entries = [_LINE.match(line) for line in lines if not line.startswith("#")]
    if not entries:
        return f"{path} is empty"
    kinds: dict[str, str] = {}
    for entry in entries:
        if entry is None:
            return f"{path} has a line that is no entry"
        kinds[entry["name"]] = entry["type"]
    current = {name: kind for name, kind in kinds.items() if kind != _HISTORY}
    if not current:
        return f"{path} lists no data"
    problems = (_file_problem(name, kind, files, record) for name, kind in current.items())
    return next(filter(None, problems), "")


def _file_problem(name: str, kind: str, files: DataFiles, record: DataRecord | None) -> str:
    """What is wrong with a file that the manifest lists; empty if nothing is."""
    size = files.sizes.get(name)
    if size is None:
        return f"{DIRECTORY}/{name} is missing"
    if kind == _BASE and not size:
        return f"{DIRECTORY}/{name} is empty"
    recorded = record.sizes.get(name, 0) if record else 0
    return f"{DIRECTORY}/{name} has {size} bytes, but had {recorded}" if size < recorded else ""


def last_incremental(manifest: str | None) -> str:
    """The name of the last incremental file of a manifest; empty if there is none."""
    names = [match["name"] for match in _LINE.finditer(manifest or "") if match["type"] == "i"]
    return names[-1] if names else ""


def damage_in(log: str) -> str:
    """The line with which a server says that it cannot load its data; empty if it does not.

    Args:
        log: The end of its log.
    """
    lines = [line for line in log.splitlines() if _DAMAGE.search(line)]
    return lines[-1].partition(" # ")[2] or lines[-1] if lines else ""
