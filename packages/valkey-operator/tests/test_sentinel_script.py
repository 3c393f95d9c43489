"""The script that Sentinel runs, and what the charm does with what it reports."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ops import testing

from valkey_operator.charm import PEERS, ValkeyOperatorCharm
from valkey_operator.model.primary_change import NO_CHANGE, PrimaryChange
from valkey_operator.reconcile import HookScope
from valkey_operator.workload.sentinel_script import NOTICE, juju_exec_script, pebble_script

OLD, NEW = "10.0.0.1", "10.0.0.2"
NO_REQUEST = HookScope()
ARGUMENTS = ("primary", "leader", "start", OLD, "6379", NEW, "6379")


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """An executable in the place of Pebble or juju-exec: it writes down its arguments, and fails if
    there is a file ``fail``."""
    path = tmp_path / "tool"
    path.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" "" >> {tmp_path}/calls\n[ ! -e {tmp_path}/fail ]\n'
    )
    path.chmod(0o755)
    return path


def run(tool: Path, script: str, *arguments: str) -> tuple[int, list[str]]:
    """The exit code, and the arguments of each call of the tool."""
    path = tool.with_name("script")
    path.write_text(script)
    path.chmod(0o755)
    code = subprocess.run([path, *arguments], check=False).returncode
    calls = tool.with_name("calls")
    return code, calls.read_text().strip().split("\n\n") if calls.exists() else []


def test_the_script_for_pebble_sends_a_notice_with_both_addresses(tool: Path) -> None:
    code, (call,) = run(tool, pebble_script(str(tool)), *ARGUMENTS)
    assert code == 0
    assert call.split("\n") == ["notify", NOTICE, f"old={OLD}", f"new={NEW}"]


@pytest.mark.parametrize("kind", ["pebble", "juju-exec"])
def test_the_exit_code_makes_sentinel_retry_only_what_can_succeed(tool: Path, kind: str) -> None:
    """It does so after exit code 1, and not after 2 (Valkey 7.2 to 9.1)."""
    exec_script = juju_exec_script(str(tool), "v/0", "10.0.0.9")
    script = pebble_script(str(tool)) if kind == "pebble" else exec_script
    assert run(tool, script, *ARGUMENTS)[0] == 0
    tool.with_name("calls").unlink()
    assert run(tool, script, *ARGUMENTS[:-1]) == (2, [])
    assert run(tool, script, *ARGUMENTS[:3], "$(id)", "6379", NEW, "6379") == (2, [])
    tool.with_name("fail").touch()
    assert run(tool, script, *ARGUMENTS)[0] == 1


def test_only_the_unit_of_the_former_primary_restarts_its_server(tool: Path) -> None:
    for address, count in ((OLD, 2), (NEW, 1)):
        tool.with_name("calls").unlink(missing_ok=True)
        code, calls = run(tool, juju_exec_script(str(tool), "v/0", address), *ARGUMENTS)
        assert (code, len(calls)) == (0, count)
        assert "hooks/primary-changed" in calls[0]


@pytest.mark.parametrize("leads", [True, False])
@pytest.mark.parametrize("own", [OLD, NEW])
def test_a_notice_reconciles_the_leader_and_the_unit_of_the_former_primary(
    *, leads: bool, own: str
) -> None:
    requests: list[HookScope] = []

    class Charm(ValkeyOperatorCharm):
        def _reconcile(self, request: HookScope = NO_REQUEST) -> None:
            requests.append(request)

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
        actions={"list-clients": {}, "switchover": {}, "accept-data-loss": {}},
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
    as_leader = [HookScope(primary_change=PrimaryChange(OLD, NEW))] if leads else []
    as_former_primary = [HookScope(primary_change=NO_CHANGE)] if own == OLD else []
    assert requests == as_leader + as_former_primary
