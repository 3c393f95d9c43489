"""A hook that runs the commands a test has left for it and writes down what they said."""

import json
import os
import subprocess
import sys
from pathlib import Path

script = Path(os.environ["PROBE_SCRIPT"])
name = os.environ["JUJU_DISPATCH_PATH"]
unit = os.environ["JUJU_UNIT_NAME"]
record = {"unit": unit, "hook": name.partition("/")[2], "env": dict(os.environ), "ran": []}
orders = json.loads(script.read_text()) if script.exists() else {}
fails = False
for order in orders.get(f"{unit} {record['hook']}", orders.get(record["hook"], [])):
    if order == "fail":
        fails = True
        continue
    if order == "fail-once":
        marker = Path(os.environ["JUJU_CHARM_DIR"], f"failed-{record['hook']}")
        fails = not marker.exists()
        marker.touch()
        continue
    if order == "daemon":
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        continue
    stdin = None
    if isinstance(order, dict):
        stdin, order = order["stdin"], order["run"]
    done = subprocess.run(order, capture_output=True, text=True, input=stdin)
    record["ran"].append([done.returncode, done.stdout, done.stderr])
with script.with_suffix(".log").open("a") as log:
    log.write(json.dumps(record) + "\n")
sys.exit(1 if fails else 0)
