"""The files from which a unit's servers start."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from cluster_model import account

from valkey_operator.rules.accounts import Version
from valkey_operator.rules.config_files import SERVER_ACCOUNTS
from valkey_operator.rules.passwords import Passwords
from valkey_operator.unit.node import Node

PASSWORDS = Passwords("a", "b", "c", "d")


class Files:
    """A workload whose server is upgraded."""

    def __init__(self, directory: Path, version: Version):
        self._directory, self._version = directory, version

    def version(self) -> Version:
        return self._version

    def read(self, name: str) -> str | None:
        path = self._directory / name
        return path.read_text() if path.exists() else None

    def write(self, name: str, text: str) -> None:
        (self._directory / name).write_text(text)


def keep(directory: Path, version: Version) -> bool:
    node = Node(cast("Any", Files(directory, version)), "10.0.0.1")
    return node.keep_accounts(PASSWORDS, [account(scan=True)])


def test_accounts_are_written_once_for_each_kind_of_server(tmp_path: Path) -> None:
    """A server that was upgraded starts with the rules of its own version."""
    assert keep(tmp_path, (8, 0, 1))
    assert not keep(tmp_path, (8, 0, 1))
    assert " db=" not in (tmp_path / SERVER_ACCOUNTS).read_text()
    assert keep(tmp_path, (9, 1, 2))
    assert not keep(tmp_path, (9, 1, 2))
    assert " db=0,1," in (tmp_path / SERVER_ACCOUNTS).read_text()
