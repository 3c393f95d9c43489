"""Ways in which a data directory loses or spoils its data."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[Path], None]


def _append_only(data: Path) -> Path:
    return data / "appendonlydir"


def _listed(data: Path, kind: str) -> Path:
    """The last file of a kind that the manifest lists: ``b`` for base, ``i`` for incremental."""
    manifest = _append_only(data) / "appendonly.aof.manifest"
    names = [words[1] for line in manifest.read_text().splitlines() if (words := line.split())]
    kinds = [words[5] for line in manifest.read_text().splitlines() if (words := line.split())]
    return _append_only(data) / [n for n, k in zip(names, kinds) if k == kind][-1]


def empty_storage(data: Path) -> None:
    """Another volume is mounted: nothing is there, the charm's own record neither."""
    for path in data.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def remove_directory(data: Path) -> None:
    shutil.rmtree(_append_only(data))


def remove_manifest(data: Path) -> None:
    (_append_only(data) / "appendonly.aof.manifest").unlink()


def empty_manifest(data: Path) -> None:
    (_append_only(data) / "appendonly.aof.manifest").write_text("")


def bad_manifest(data: Path) -> None:
    (_append_only(data) / "appendonly.aof.manifest").write_bytes(b"\xff\x00 nothing\n")


def remove_base(data: Path) -> None:
    _listed(data, "b").unlink()


def half_base(data: Path) -> None:
    path = _listed(data, "b")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove_incremental(data: Path) -> None:
    _listed(data, "i").unlink()


def zeros_at_the_end(data: Path) -> None:
    with _listed(data, "i").open("ab") as file:
        file.write(b"\0" * 4096)


def garbage_in_the_middle(data: Path) -> None:
    path = _listed(data, "i")
    content = path.read_bytes()
    middle = content.find(b"\r\n$", len(content) // 2)
    path.write_bytes(content[:middle] + b"\x07garbage\x07" + content[middle + 9 :])


DAMAGES: tuple[Damage, ...] = (
    empty_storage,
    remove_directory,
    remove_manifest,
    empty_manifest,
    bad_manifest,
    remove_base,
    half_base,
    remove_incremental,
    zeros_at_the_end,
    garbage_in_the_middle,
)

EMPTIES = frozenset({empty_storage, remove_directory})
"""Those that leave nothing to set aside."""
