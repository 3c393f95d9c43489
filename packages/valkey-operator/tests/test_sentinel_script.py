"""The script that Sentinel runs, and what the charm does when it has been woken."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ops import testing

from valkey_operator.charm import PEERS, ValkeyOperatorCharm
from valkey_operator.workload.sentinel_script import (
    NOTICE,
    PrimaryChange,
    juju_exec_script,
    pebble_script,
)

OLD, NEW = "10.0.0.1", "10.0.0.2"
WORDS = ("primary", "leader", "start", OLD, "6379", NEW, "6379")


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """An executable in the place of Pebble or juju-exec: it notes its arguments, and may fail."""
    path = tmp_path / "tool"
    path.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" "" >> {tmp_path}/said\n[ ! -e {tmp_path}/fail ]\n'
    )
    path.chmod(0o755)
    return path


def run(tool: Path, script: str, *words: str) -> tuple[int, list[str]]:
    """The exit code, and what the tool was told in each call."""
    path = tool.with_name("wake")
    path.write_text(script)
    path.chmod(0o755)
    code = subprocess.run([path, *words], check=False).returncode
    said = tool.with_name("said")
    return code, said.read_text().strip().split("\n\n") if said.exists() else []


def test_pebble_is_told_both_addresses(tool: Path) -> None:
    code, (said,) = run(tool, pebble_script(str(tool)), *WORDS)
    assert code == 0
    assert said.split("\n") == ["notify", NOTICE, f"old={OLD}", f"new={NEW}"]


@pytest.mark.parametrize("kind", ["pebble", "juju-exec"])
def test_sentinel_tries_again_only_what_can_succeed(tool: Path, kind: str) -> None:
    """It does so after exit code 1, and not after 2 (Valkey 7.2 to 9.1)."""
    exec_script = juju_exec_script(str(tool), "v/0", "10.0.0.9")
    script = pebble_script(str(tool)) if kind == "pebble" else exec_script
    assert run(tool, script, *WORDS)[0] == 0
    tool.with_name("said").unlink()
    assert run(tool, script, *WORDS[:-1]) == (2, [])
    assert run(tool, script, *WORDS[:3], "$(id)", "6379", NEW, "6379") == (2, [])
    tool.with_name("fail").touch()
    assert run(tool, script, *WORDS)[0] == 1


def test_only_the_unit_that_lost_the_primary_starts_it_again(tool: Path) -> None:
    for address, calls in ((OLD, 2), (NEW, 1)):
        tool.with_name("said").unlink(missing_ok=True)
        code, said = run(tool, juju_exec_script(str(tool), "v/0", address), *WORDS)
        assert (code, len(said)) == (0, calls)
        assert "hooks/primary-changed" in said[0]


@pytest.mark.parametrize("leads", [True, False])
@pytest.mark.parametrize("own", [OLD, NEW])
def test_a_notice_wakes_who_has_something_to_do(*, leads: bool, own: str) -> None:
    moves: list[PrimaryChange | None] = []

    class Charm(ValkeyOperatorCharm):
        def reconcile(
            self, look_at: Any = (), primary_change: PrimaryChange | None = None
        ) -> None:
            moves.append(primary_change)

    ctx = testing.Context(
        Charm,
        meta={
            "name": "v",
            "containers": {"server": {}},
            "peers": {PEERS: {"interface": "valkey_peers"}},
            "provides": {"valkey-client": {"interface": "valkey_client"}},
            "requires": {
                "certificates": {"interface": "tls-certificates"},
                "client-cas": {"interface": "certificate_transfer"},
            },
            "storage": {"data": {"type": "filesystem"}},
        },
        actions={"list-clients": {}, "switchover": {}},
    )
    notices = [
        testing.Notice(key=key, last_data={"old": OLD, "new": NEW})
        for key in (NOTICE, "example.com/else")
    ]
    container = testing.Container("server", can_connect=True, notices=notices)
    network = testing.Network(
        PEERS, [testing.BindAddress([testing.Address(own)])], ingress_addresses=[own]
    )
    state = testing.State(
        leader=leads,
        containers=[container],
        networks=[network],
        relations=[testing.PeerRelation(PEERS)],
    )
    for notice in notices:
        ctx.run(ctx.on.pebble_custom_notice(container, notice), state)
    told: list[PrimaryChange | None] = [PrimaryChange(OLD, NEW)] if leads else []
    assert moves == told + ([None] if own == OLD else [])
