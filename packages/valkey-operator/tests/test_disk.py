"""A status warns of a disk before it is full."""

from __future__ import annotations

from pathlib import Path

import pytest

from valkey_operator.rules.disk import DiskUsage, disk_problem
from valkey_operator.workload.data_directory import DataDirectory

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("size", "free", "data", "warns"),
    [
        (10_000, 5_000, 1_000, False),
        (10_000, 900, 1_000, True),
        (10_000, 400, 10, True),
        (10_000_000, 2_000, 10, False),
        (10_000_000, 1_000, 10, True),
        (0, 0, 0, False),
    ],
)
def test_a_rewrite_must_fit_and_some_space_be_left(
    size: int, free: int, data: int, *, warns: bool
) -> None:
    assert bool(disk_problem(DiskUsage(size * MIB, free * MIB, data * MIB))) == warns


def test_the_text_says_how_much_is_missing() -> None:
    assert disk_problem(DiskUsage(4_000 * MIB, 900 * MIB, 1_000 * MIB)) == (
        "the storage data has 900 MiB free, and needs 1000 MiB to rewrite the append-only file:"
        " grow it"
    )


def test_what_the_files_take_is_counted(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir()
    (tmp_path / "appendonlydir" / "base").write_bytes(b"x" * 1000)
    usage = DataDirectory(tmp_path).disk_usage()
    assert (usage.data, usage.size > usage.free > 0) == (1000, True)
    assert DataDirectory(tmp_path / "missing").disk_usage() == DiskUsage()
