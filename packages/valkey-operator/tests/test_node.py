"""The files from which a unit's servers start."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from valkey_operator.rules.accounts import Version
from valkey_operator.rules.config_files import SERVER_ACCOUNTS
from valkey_operator.rules.passwords import Passwords
from valkey_operator.unit.node import Node

from .cluster_model import account

PASSWORDS = Passwords("a", "b", "c", "d")


class Workload:
    """A workload of some version, with its files."""

    def __init__(self, directory: Path, version: Version):
        self._directory, self._version = directory, version

    def version(self) -> Version:
        return self._version

    def read(self, name: str) -> str | None:
        path = self._directory / name
        return path.read_text() if path.exists() else None

    def write(self, name: str, text: str) -> None:
        (self._directory / name).write_text(text)


def keep_accounts(directory: Path, version: Version) -> bool:
    """Whether the files had to change for a server of that version."""
    node = Node(cast("Any", Workload(directory, version)), "10.0.0.1")
    return node.keep_accounts(PASSWORDS, [account(scan=True)])


def test_account_files_are_rewritten_only_for_a_version_with_other_rules(tmp_path: Path) -> None:
    """A server that was upgraded starts with the rules of its own version."""
    assert keep_accounts(tmp_path, (8, 0, 1))
    assert not keep_accounts(tmp_path, (8, 0, 1))
    assert " db=" not in (tmp_path / SERVER_ACCOUNTS).read_text()
    assert keep_accounts(tmp_path, (9, 1, 2))
    assert not keep_accounts(tmp_path, (9, 1, 2))
    assert " db=0,1," in (tmp_path / SERVER_ACCOUNTS).read_text()
