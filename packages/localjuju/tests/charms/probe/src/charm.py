"""A hook that runs the commands that a test has written for it, and records their output."""

import json
import os
import subprocess
import sys
from pathlib import Path

script = Path(os.environ["PROBE_SCRIPT"])
name = os.environ["JUJU_DISPATCH_PATH"]
unit = os.environ["JUJU_UNIT_NAME"]
record = {"unit": unit, "hook": name.partition("/")[2], "env": dict(os.environ), "ran": []}
commands = json.loads(script.read_text()) if script.exists() else {}
fails = False
for command in commands.get(f"{unit} {record['hook']}", commands.get(record["hook"], [])):
    if command == "fail":
        fails = True
        continue
    if command == "daemon":
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        continue
    stdin = None
    if isinstance(command, dict):
        stdin, command = command["stdin"], command["run"]
    process = subprocess.run(command, capture_output=True, text=True, input=stdin)
    record["ran"].append([process.returncode, process.stdout, process.stderr])
with script.with_suffix(".log").open("a") as log:
    log.write(json.dumps(record) + "\n")
sys.exit(1 if fails else 0)
